"""ResNet-18 and ResNet-34. He et al. 2016a ("Deep residual learning"), table 1."""

from functools import partial

from torch import Tensor
from torch.nn import Identity, Module

from phase2.card import Card, Option
from phase2.errors import UserError, unknown
from phase2.models.blocks import Style, check_sizes, convolution, layout, nonlinearity, norm2d
from phase2.models.residual import BasicBlock, stages
from phase2.nn.linear import Linear
from phase2.nn.pooling.adaptive import AdaptiveAvgPool2d
from phase2.nn.pooling.max import MaxPool2d

CARD = Card(
    "model",
    "ResNet",
    label="ImageNet ResNet",
    definition="an ImageNet ResNet",
    cites="he2016",
    order=4,
    options={
        "stem": Option("the first layer: 3x3, or 7x7 and pooling", ("cifar", "imagenet")),
        "backend": Option("who computes convolutions and pooling", ("scratch", "fused")),
    },
    traits={"shortcut": "B"},
)

COUNTS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}  # blocks a stage
STEMS = ("cifar", "imagenet")


class ResNet(Module):
    """A stem, four stages of residual blocks with width to 8 width channels, global average pooling, a linear output.

    The stem is cifar, a 3x3 convolution, or imagenet: 7x7 with stride 2 and a max pooling, a quarter of the size.
    Shapes change by projections (option B). Shapes: input (batch, channels, height, width) for `shape` = (channels,
    height, width); output (batch, outputs). `activation` and `norm` are names; `backend` is that of convolutions and
    pooling. torchvision's state dicts load into the imagenet stem's, at norm batch. Depth 18 with the cifar stem,
    3 channels and 10 outputs has 11,173,962 parameters. Raises `UserError` for a depth other than 18 and 34, an
    unknown name or a size below 1.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        depth: int = 18,
        width: int = 64,
        stem: str = "cifar",
        activation: str = "relu",
        norm: str = "batch",
        backend: str = "scratch",
    ) -> None:
        super().__init__()
        check_sizes("ResNet", shape, outputs=outputs, width=width)
        if depth not in COUNTS:
            raise UserError(f"ResNet: depth={depth}, expected one of {', '.join(map(str, COUNTS))}")
        if stem not in STEMS:
            raise unknown("stem", stem, STEMS)
        style = Style(activation, norm, backend)
        kernel_size, stride = (7, 2) if stem == "imagenet" else (3, 1)
        self.layout = layout(backend)
        self.conv1 = convolution(shape[0], width, kernel_size, stride, style)
        self.bn1 = norm2d(norm, width, backend)
        self.act1 = nonlinearity(activation)
        self.maxpool = MaxPool2d(3, 2, 1, backend=backend) if stem == "imagenet" else Identity()
        block = partial(BasicBlock, shortcut="B", style=style)
        self.layer1, self.layer2, self.layer3, self.layer4 = stages(width, COUNTS[depth], block)
        self.avgpool = AdaptiveAvgPool2d(1, backend=backend)
        self.fc = Linear(8 * width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.act1(self.bn1(self.conv1(self.layout(x)))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))
