"""Residual networks with pre-activation, for CIFAR-10. He et al. 2016b ("Identity mappings in deep residual networks").

The shortcuts carry the sum from block to block untouched, since norm and activation stand before the convolutions.
"""

from functools import partial

from torch import Tensor
from torch.nn import Identity, Module

from phase2.card import Card, Option
from phase2.errors import unknown
from phase2.models.blocks import Style, check_sizes, conv3x3, convolution, layout, nonlinearity, norm2d
from phase2.models.cifar_resnet import blocks_per_stage
from phase2.models.residual import Subsample, stages
from phase2.nn.linear import Linear
from phase2.nn.pooling.adaptive import AdaptiveAvgPool2d

CARD = Card(
    "model",
    "PreActResNet",
    label="pre-activation ResNet",
    definition="a pre-activation ResNet",
    cites="he2016b",
    order=7,
    options={
        "shortcut": Option("A: zeros for new channels; B: projections", ("A", "B")),
        "backend": Option("who computes convolutions and pooling", ("scratch", "fused")),
    },
)

SHORTCUTS = ("A", "B")


class PreActBlock(Module):
    """y = x + F(x) with F norm, activation, 3x3 convolution, twice. He et al. 2016b, eq. 5 and figure 4(e).

    A block that changes the shape takes its shortcut, option A or B, from the first activation. Shapes: input (batch,
    in_channels, height, width), output (batch, out_channels, height / stride, width / stride), rounded up.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, shortcut: str, style: Style) -> None:
        super().__init__()
        self.bn1 = norm2d(style.norm, in_channels, style.backend)
        self.act1 = nonlinearity(style.activation)
        self.conv1 = conv3x3(in_channels, out_channels, stride, style)
        self.bn2 = norm2d(style.norm, out_channels, style.backend)
        self.act2 = nonlinearity(style.activation)
        self.conv2 = conv3x3(out_channels, out_channels, 1, style)
        self.activates_shortcut = stride != 1 or in_channels != out_channels
        self.downsample: Module = Identity()
        if self.activates_shortcut and shortcut == "A":
            self.downsample = Subsample(out_channels - in_channels, stride)
        elif self.activates_shortcut:
            self.downsample = convolution(in_channels, out_channels, 1, stride, style)

    def forward(self, x: Tensor) -> Tensor:
        activated = self.act1(self.bn1(x))
        y = self.conv2(self.act2(self.bn2(self.conv1(activated))))
        return y + self.downsample(activated if self.activates_shortcut else x)


class PreActResNet(Module):
    """A 3x3 convolution, three stages of n blocks with width, 2 width and 4 width channels, a norm and an activation,
    global average pooling, and a linear output.

    `depth` = 6n + 2 and `shortcut`, A or B, as in `CifarResNet`; with option A the parameters are as many. Shapes:
    input (batch, channels, height, width) for `shape` = (channels, height, width); output (batch, outputs).
    `activation` and `norm` are names; `backend` is that of convolutions and pooling. Raises `UserError` for another
    depth, an unknown name or a size below 1.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        depth: int = 20,
        width: int = 16,
        activation: str = "relu",
        norm: str = "batch",
        shortcut: str = "A",
        backend: str = "scratch",
    ) -> None:
        super().__init__()
        check_sizes("PreActResNet", shape, outputs=outputs, width=width)
        if shortcut not in SHORTCUTS:
            raise unknown("shortcut", shortcut, SHORTCUTS)
        n = blocks_per_stage("PreActResNet", depth)
        style = Style(activation, norm, backend)
        self.layout = layout(backend)
        self.conv1 = conv3x3(shape[0], width, 1, style)
        block = partial(PreActBlock, shortcut=shortcut, style=style)
        self.layer1, self.layer2, self.layer3 = stages(width, (n, n, n), block)
        first = self.layer1[0]
        assert isinstance(first, PreActBlock)
        first.activates_shortcut = True  # conv1 is activated before the paths part (appendix)
        self.bn = norm2d(norm, 4 * width, backend)
        self.act = nonlinearity(activation)
        self.avgpool = AdaptiveAvgPool2d(1, backend=backend)
        self.fc = Linear(4 * width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer3(self.layer2(self.layer1(self.conv1(self.layout(x)))))
        return self.fc(self.avgpool(self.act(self.bn(x))).flatten(1))
