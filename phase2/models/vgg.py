"""VGG networks. Simonyan & Zisserman 2015, table 1 (A, B, D and E)."""

import math

from torch import Tensor
from torch.nn import Identity, Module, Sequential

from phase2.card import Card, Option
from phase2.errors import UserError, unknown
from phase2.models.blocks import centred, check_sizes, layout, nonlinearity, norm2d
from phase2.nn.convolution.conv import Conv2d
from phase2.nn.dropout import Dropout
from phase2.nn.linear import Linear
from phase2.nn.pooling.adaptive import AdaptiveAvgPool2d
from phase2.nn.pooling.max import MaxPool2d

CARD = Card(
    "model",
    "VGG",
    label="VGG",
    definition="VGG",
    cites="simonyan2015",
    order=3,
    options={
        "head": Option("what reads the last map: one linear layer, or the paper's three", ("linear", "imagenet")),
        "backend": Option("who computes convolutions and pooling", ("scratch", "fused")),
    },
)

SIDE = 32  # pixels: five poolings leave one place
COUNTS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # convolutions a stage
MULTIPLES = (1, 2, 4, 8, 8)  # of the width, a stage
HEADS = ("linear", "imagenet")
PLACES = 7  # a side of the map that the ImageNet head reads
HIDDEN = 4096


class VGG(Module):
    """3x3 convolutions in five stages, each with a norm and an activation; a 2x2 max pooling ends a stage.

    `depth` is 11, 13, 16 or 19; the first stage has `width` channels, the last two 8 width. `head` is linear, for
    small images, or imagenet: two hidden layers of 4096 units with dropout on a map pooled to 7x7. Shapes: input
    (batch, channels, height, width) for `shape` = (channels, height, width), centred in 32x32 if smaller; output
    (batch, outputs). `activation` and `norm` are names; `backend` is that of convolutions and pooling. Depth 16 with
    3 channels and 10 outputs has 14,728,266 parameters. With a norm, torchvision's state dicts load into the imagenet
    head's. Raises `UserError` for another depth, an unknown name or a size below 1.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        depth: int = 11,
        width: int = 64,
        activation: str = "relu",
        norm: str = "batch",
        head: str = "linear",
        backend: str = "scratch",
    ) -> None:
        super().__init__()
        check_sizes("VGG", shape, outputs=outputs, width=width)
        if depth not in COUNTS:
            raise UserError(f"VGG: depth={depth}, expected one of {', '.join(map(str, COUNTS))}")
        if head not in HEADS:
            raise unknown("head", head, HEADS)
        channels, *sides = shape
        layers: list[Module] = []
        for count, multiple in zip(COUNTS[depth], MULTIPLES, strict=True):
            for _ in range(count):
                out = multiple * width
                layers += [Conv2d(channels, out, 3, padding=1, backend=backend), norm2d(norm, out, backend)]
                layers.append(nonlinearity(activation))
                channels = out
            layers.append(MaxPool2d(2, backend=backend))
        self.layout = layout(backend)
        self.features = Sequential(*layers)
        if head == "imagenet":
            self.avgpool: Module = AdaptiveAvgPool2d(PLACES, backend=backend)
            self.classifier = _imagenet_head(channels * PLACES**2, outputs, activation)
        else:
            self.avgpool = Identity()
            places = math.prod(max(side, SIDE) // 32 for side in sides)
            self.classifier = Sequential(Linear(channels * places, outputs))

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(self.layout(centred(x, SIDE)))
        return self.classifier(self.avgpool(x).flatten(1))


def _imagenet_head(in_features: int, outputs: int, activation: str) -> Sequential:
    layers: list[Module] = []
    for fan_in in (in_features, HIDDEN):
        layers += [Linear(fan_in, HIDDEN), nonlinearity(activation), Dropout()]
    return Sequential(*layers, Linear(HIDDEN, outputs))
