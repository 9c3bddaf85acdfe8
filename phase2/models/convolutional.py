"""The convolutional one of three networks of equally many parameters."""

from itertools import pairwise
from math import prod

from torch.nn import Flatten, Module, Sequential

from phase2.card import Card
from phase2.models.blocks import Style, check_sizes, conv3x3, nonlinearity, norm2d
from phase2.models.sharing import STRIDES, Layers, maps
from phase2.nn.linear import Linear
from phase2.nn.pooling.max import MaxPool2d

CARD = Card(
    "model",
    "Convolutional",
    label="convolutional",
    definition="a convolutional network",
    order=8,
)


class Convolutional(Layers):
    """Three 3x3 convolutions and the outputs: a unit sees a window, and all of a map share their weights.

    The first convolution is of stride 1 with a 2x2 max pooling after it, the other two are of stride 2. Shapes: input
    (batch, channels, height, width) for `shape` = (channels, height, width); maps of `width`, 2 `width` and 4 `width`
    channels, each half as high and wide as the one before, rounded up; output (batch, outputs). After a convolution a
    normalization if there is one, and the activation, both by name. Raises `UserError` for an unknown name or a size
    below 1.
    """

    def __init__(
        self, shape: tuple[int, ...], outputs: int, width: int = 16, activation: str = "relu", norm: str = "none"
    ) -> None:
        super().__init__()
        check_sizes("Convolutional", shape, outputs=outputs, width=width)
        channels, style = (shape[0], width, 2 * width, 4 * width), Style(activation, norm, backend="scratch")
        layers: list[Module] = []
        for stride, (before, after) in zip(STRIDES, pairwise(channels), strict=True):
            layers += [conv3x3(before, after, stride, style), norm2d(norm, after), nonlinearity(activation)]
        layers.insert(3, MaxPool2d(2, ceil_mode=True))
        *_, last = maps(shape)
        self.layers = Sequential(*layers, Flatten(), Linear(channels[-1] * prod(last), outputs))
