"""The one of three networks of equally many parameters that shares no weights."""

from functools import partial
from itertools import pairwise
from math import prod

from torch.nn import Flatten, Module, Sequential

from phase2.card import Card
from phase2.models.blocks import check_sizes, nonlinearity, norm2d
from phase2.models.fitting import Sizes, fitting, target
from phase2.models.sharing import STRIDES, Layers, maps
from phase2.nn.convolution.locally_connected import LocallyConnected2d
from phase2.nn.linear import Linear
from phase2.nn.pooling.max import MaxPool2d

CARD = Card(
    "model",
    "locally_connected",
    label="locally connected",
    definition="a locally connected network",
    cites="lecun1989",
    order=9,
)


class LocallyConnected(Layers):
    """`Convolutional` without sharing: a unit sees the same window, with weights of its own.

    Shapes as `Convolutional`'s, but for the maps' `channels`; so are the names and the errors.
    """

    def __init__(
        self, shape: tuple[int, ...], outputs: int, channels: Sizes, activation: str = "relu", norm: str = "none"
    ) -> None:
        super().__init__()
        check_sizes("LocallyConnected", shape, outputs=outputs, channels=min(channels))
        layers: list[Module] = []
        for stride, (before, after), size in zip(STRIDES, pairwise((shape[0], *channels)), maps(shape), strict=False):
            layer = LocallyConnected2d(before, after, size, 3, stride, padding=1, bias=norm == "none")
            layers += [layer, norm2d(norm, after), nonlinearity(activation)]
        layers.insert(3, MaxPool2d(2, ceil_mode=True))
        *_, last = maps(shape)
        self.layers = Sequential(*layers, Flatten(), Linear(channels[-1] * prod(last), outputs))


def locally_connected(
    shape: tuple[int, ...], outputs: int, width: int = 16, activation: str = "relu", norm: str = "none"
) -> LocallyConnected:
    """`LocallyConnected` for images of `shape`, as large as `convolutional` of `width`.

    Its channels, too, come as near as they can to doubling from layer to layer. Raises `UserError` if there are none:
    for large images, a single kernel a place may be more than all of a small convolutional network.
    """
    goal = target(shape, outputs, width, activation, norm)
    size = partial(_locally_connected_size, shape, outputs, norm)
    return LocallyConnected(shape, outputs, fitting("locally_connected", goal, size, growth=2), activation, norm)


def _locally_connected_size(shape: tuple[int, ...], outputs: int, norm: str, *channels: int) -> int:
    """The parameters of `LocallyConnected`: a bias a unit, or a norm's two a channel."""
    total = 0
    places = [prod(size) for size in (shape[1:], *maps(shape)[2:])]  # of each layer, the first one's before pooling
    for before, after, here in zip((shape[0], *channels[:-1]), channels, places, strict=True):
        total += 9 * before * after * here + (after * here if norm == "none" else 2 * after)
    return total + (channels[-1] * places[-1] + 1) * outputs
