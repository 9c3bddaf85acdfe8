"""The fast network for CIFAR-10, behind whitened patches that are measured and not learnt. Jordan 2024, section 3."""

import torch
from torch import Tensor
from torch.nn import Flatten, Module, Parameter, Sequential

from phase2.card import Card, Option
from phase2.errors import UserError
from phase2.models.blocks import check_sizes, layout, nonlinearity
from phase2.nn.backend import checked_backend
from phase2.nn.convolution.conv import Conv2d
from phase2.nn.linear import Linear
from phase2.nn.normalization.batch import BatchNorm2d
from phase2.nn.pooling.max import MaxPool2d

CARD = Card(
    "model",
    "Airbench",
    label="airbench",
    definition="three pairs of convolutions behind whitened patches",
    cites="jordan2024",
    order=11,
    options={"backend": Option("who computes convolutions, norms, pooling and GELU", ("scratch", "fused"))},
)

SIDE = 2  # of a patch
FLOOR = 5e-4  # added to the patches' variances: what varies less is noise, and is not blown up
SCALE = 1 / 9  # of the outputs: a wide softmax at the start
SMALLEST = 9  # pixels a side, of which three halvings leave one


class Whitening(Module):
    """A 2x2 convolution whose outputs are uncorrelated and of variance 1 on the images that it is fitted to.

    Its weight, a buffer, is each eigenvector of the patches' second moments over the root of its eigenvalue, and each
    once more with the other sign: 8 channels of output for each of input. A shift of each alone is learnt, which is not
    called a bias: it has the rate of the weights. Shapes: input (batch, channels, height, width), output (batch,
    8 channels, height - 1, width - 1). Jordan 2024, section 3.2.
    """

    weight: Tensor

    def __init__(self, channels: int, backend: str) -> None:
        super().__init__()
        outputs = 2 * channels * SIDE**2
        self.convolve = Conv2d.convolve[checked_backend(backend)]
        self.shift = Parameter(torch.zeros(outputs))
        self.register_buffer("weight", torch.zeros(outputs, channels, SIDE, SIDE))

    @torch.no_grad()
    def fit(self, images: Tensor) -> None:
        """Takes the weight from all patches of `images` (batch, channels, height, width)."""
        windows = images.double().unfold(2, SIDE, 1).unfold(3, SIDE, 1)  # (batch, channels, height', width', 2, 2)
        patches = windows.movedim(1, 3).flatten(3).flatten(0, 2)
        variances, directions = torch.linalg.eigh(patches.T @ patches / len(patches))  # rising; directions are columns
        scaled = (directions / (variances + FLOOR).sqrt()).T.flip(0).reshape(-1, *self.weight.shape[1:])
        self.weight.copy_(torch.cat([scaled, -scaled]))

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(x, self.weight, self.shift, (1, 1), (0, 0), (1, 1), 1)


class Shifting(BatchNorm2d):
    """BatchNorm that learns no scale; its running statistics follow a batch by two fifths."""

    def __init__(self, channels: int, backend: str) -> None:
        super().__init__(channels, eps=1e-12, momentum=0.4, backend=backend)
        del self.weight
        self.register_buffer("weight", torch.ones(channels))


class Pair(Sequential):
    """Two 3x3 convolutions, each with norm and activation, the first with 2x2 max pooling."""

    def __init__(self, in_channels: int, out_channels: int, activation: str, backend: str) -> None:
        super().__init__(
            Conv2d(in_channels, out_channels, 3, padding=1, bias=False, backend=backend),
            MaxPool2d(2, backend=backend),
            Shifting(out_channels, backend),
            nonlinearity(activation, backend),
            Conv2d(out_channels, out_channels, 3, padding=1, bias=False, backend=backend),
            Shifting(out_channels, backend),
            nonlinearity(activation, backend),
        )


class Airbench(Module):
    """Whitened patches, three pairs of convolutions with `width`, 4 `width` and 4 `width` channels, the largest value
    of each last map, and a linear output over 9.

    Made for the activation gelu, the initialization dirac, and images of 32 pixels. Shapes: input (batch, channels,
    height, width) for `shape` = (channels, height, width), output (batch, outputs). With 3 channels, width 64 and 10
    outputs it holds 1,972,792 numbers, of which 1,440 are not learnt: the whitening's weight and the norms' scales.
    Raises `UserError` for images of less than 9 pixels a side, an unknown name or a size below 1. Jordan 2024.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        width: int = 64,
        activation: str = "gelu",
        backend: str = "scratch",
    ) -> None:
        super().__init__()
        check_sizes("Airbench", shape, outputs=outputs, width=width)
        if min(shape[1:]) < SMALLEST:
            raise UserError(f"Airbench: images of {shape[1]}x{shape[2]}, expected at least {SMALLEST} pixels a side")
        self.layout = layout(backend)
        self.whitening = Whitening(shape[0], backend)
        self.act = nonlinearity(activation, backend)
        self.pairs = Sequential(
            Pair(8 * shape[0], width, activation, backend),
            Pair(width, 4 * width, activation, backend),
            Pair(4 * width, 4 * width, activation, backend),
        )
        self.flatten = Flatten()
        self.fc = Linear(4 * width, outputs, bias=False)

    def fit_to(self, images: Tensor) -> None:
        """Takes from training images (batch, channels, height, width) what is not learnt."""
        self.whitening.fit(images)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pairs(self.act(self.whitening(self.layout(x))))
        return self.fc(x.amax((-2, -1))) * SCALE
