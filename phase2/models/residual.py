"""The residual block, its shortcuts, and stages of blocks. He et al. 2016a ("Deep residual learning"), section 3."""

from collections.abc import Callable, Sequence

from torch import Tensor
from torch.nn import Identity, Module, Sequential
from torch.nn.functional import pad

from phase2.errors import unknown
from phase2.models.blocks import Style, conv3x3, convolution, nonlinearity, norm2d

SHORTCUTS = ("A", "B", "none")


class Subsample(Module):
    """Option A: every `stride`-th row and column, and zeros for the channels that are new; no parameters."""

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels, self.stride = new_channels, stride

    def forward(self, x: Tensor) -> Tensor:
        return pad(x[..., :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))


def shortcut_of(kind: str, in_channels: int, out_channels: int, stride: int, style: Style) -> Module | None:
    """The path around a block: identity where shapes agree, else option A or B (a projection); None for `none`.

    Raises `UserError` for a kind not in `SHORTCUTS`.
    """
    if kind not in SHORTCUTS:
        raise unknown("shortcut", kind, SHORTCUTS)
    if kind == "none":
        return None
    if stride == 1 and in_channels == out_channels:
        return Identity()
    if kind == "A":
        return Subsample(out_channels - in_channels, stride)
    norm = norm2d(style.norm, out_channels, style.backend)
    return Sequential(convolution(in_channels, out_channels, 1, stride, style), norm)


class BasicBlock(Module):
    """y = f(F(x) + shortcut(x)) with F two 3x3 convolutions, each with its norm; y = f(F(x)) without a shortcut.

    Shapes: input (batch, in_channels, height, width), output (batch, out_channels, height / stride, width / stride),
    rounded up. The parts have torchvision's names, whatever the norm. He et al. 2016a, eq. 1 and 2 and figure 2.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, shortcut: str, style: Style) -> None:
        super().__init__()
        self.conv1 = conv3x3(in_channels, out_channels, stride, style)
        self.bn1 = norm2d(style.norm, out_channels, style.backend)
        self.act1 = nonlinearity(style.activation)
        self.conv2 = conv3x3(out_channels, out_channels, 1, style)
        self.bn2 = norm2d(style.norm, out_channels, style.backend)
        self.downsample = shortcut_of(shortcut, in_channels, out_channels, stride, style)
        self.act2 = nonlinearity(style.activation)

    def forward(self, x: Tensor) -> Tensor:
        y = self.act1(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.downsample is not None:
            y = y + self.downsample(x)
        return self.act2(y)


def stages(width: int, counts: Sequence[int], block: Callable[[int, int, int], Module]) -> list[Sequential]:
    """Stages of so many blocks, made by block(in_channels, out_channels, stride).

    The first has `width` channels at the input's size; each further one doubles the channels and halves the image.
    """
    made = []
    channels = width
    for number, count in enumerate(counts):
        out = width * 2**number
        first = block(channels, out, 2 if number else 1)
        made.append(Sequential(first, *(block(out, out, 1) for _ in range(count - 1))))
        channels = out
    return made
