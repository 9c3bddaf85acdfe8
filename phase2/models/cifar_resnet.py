"""He et al.'s residual networks for CIFAR-10, and their plain twins. He et al. 2016a, section 4.2."""

from functools import partial

from torch import Tensor
from torch.nn import Identity, Module

from phase2.card import Card, Option
from phase2.errors import UserError, unknown
from phase2.models.blocks import Style, check_sizes, conv3x3, layout, nonlinearity, norm2d
from phase2.models.residual import BasicBlock, stages
from phase2.nn.linear import Linear
from phase2.nn.pooling.adaptive import AdaptiveAvgPool2d

CARD = Card(
    "model",
    "CifarResNet",
    label="ResNet",
    definition="a CIFAR ResNet",
    cites="he2016",
    order=6,
    options={
        "shortcut": Option("A: zeros for new channels; B: projections; none", ("A", "B", "none")),
        "head": Option(
            "what reads the last map: its averages, or all of its places", ("gap", "dense"), {"gap": "global average"}
        ),
        "backend": Option("who computes convolutions and pooling", ("scratch", "fused")),
    },
)

HEADS = ("gap", "dense")


class CifarResNet(Module):
    """A 3x3 convolution, three stages of n blocks with width, 2 width and 4 width channels, and a linear output.

    `depth` = 6n + 2 counts the layers with weights on the way. `shortcut` is A (zeros for new channels), B
    (projections) or none: the plain twin. `head` is gap, which averages the last map, or dense, which reads all of its
    places. Shapes: input (batch, channels, height, width) for `shape` = (channels, height, width); output (batch,
    outputs). `activation` and `norm` are names; `backend` is that of convolutions and pooling. With 10 outputs, 3
    channels and option A: 269,722 parameters at depth 20. Raises `UserError` for another depth, an unknown name or a
    size below 1.
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
        head: str = "gap",
        backend: str = "scratch",
    ) -> None:
        super().__init__()
        check_sizes("CifarResNet", shape, outputs=outputs, width=width)
        if head not in HEADS:
            raise unknown("head", head, HEADS)
        n = blocks_per_stage("CifarResNet", depth)
        style = Style(activation, norm, backend)
        channels, *sides = shape
        self.layout = layout(backend)
        self.conv1 = conv3x3(channels, width, 1, style)
        self.bn1 = norm2d(norm, width, backend)
        self.act1 = nonlinearity(activation)
        block = partial(BasicBlock, shortcut=shortcut, style=style)
        self.layer1, self.layer2, self.layer3 = stages(width, (n, n, n), block)
        rows, columns = (1, 1) if head == "gap" else (-(-side // 4) for side in sides)
        self.avgpool = AdaptiveAvgPool2d(1, backend=backend) if head == "gap" else Identity()
        self.fc = Linear(4 * width * rows * columns, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act1(self.bn1(self.conv1(self.layout(x))))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(self.avgpool(x).flatten(1))


def blocks_per_stage(model: str, depth: int) -> int:
    """n of depth = 6n + 2; raises `UserError` if there is none."""
    n, rest = divmod(depth - 2, 6)
    if n < 1 or rest:
        raise UserError(
            f"{model}: depth={depth}, expected 6n + 2 for a whole n: 8, 14, 20, 26, 32, 38, 44, 50, 56, ..."
        )
    return n
