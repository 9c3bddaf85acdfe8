"""Three networks of equally many parameters: a convolutional one, one that shares no weights, and a dense one.

All have three hidden layers and a linear output layer. They differ in what a unit sees and in whether units share their
weights. LeCun 1989 ("Generalization and network design strategies"). The convolutional one is as wide as it is told;
the others are found to be as large as it is, to 1%, with all biases and normalizations.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, pairwise, takewhile
from math import ceil, log, prod

import torch
from torch import Tensor
from torch.nn import Flatten, Module, Sequential

from phase2 import registry
from phase2.errors import UserError
from phase2.models.blocks import Style, check_sizes, conv3x3, nonlinearity, norm2d
from phase2.models.counting import parameters
from phase2.nn.linear import Linear
from phase2.nn.locally_connected import LocallyConnected2d
from phase2.nn.pool import MaxPool2d

STRIDES = 1, 2, 2  # of the three layers; a max pooling by 2 follows the first
TOLERANCE = 0.01  # of the parameters
REACH = 8  # channels or units by which the second layer may miss an even growth

Sizes = tuple[int, int, int]  # channels or units of the three hidden layers
Size = Callable[[int, int, int], int]


class _Layers(Module):
    layers: Sequential

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Convolutional(_Layers):
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
        *_, last = _maps(shape)
        self.layers = Sequential(*layers, Flatten(), Linear(channels[-1] * prod(last), outputs))


class LocallyConnected(_Layers):
    """`Convolutional` without sharing: a unit sees the same window, with weights of its own.

    Shapes as `Convolutional`'s, but for the maps' `channels`; so are the names and the errors.
    """

    def __init__(
        self, shape: tuple[int, ...], outputs: int, channels: Sizes, activation: str = "relu", norm: str = "none"
    ) -> None:
        super().__init__()
        check_sizes("LocallyConnected", shape, outputs=outputs, channels=min(channels))
        layers: list[Module] = []
        for stride, (before, after), size in zip(STRIDES, pairwise((shape[0], *channels)), _maps(shape), strict=False):
            layer = LocallyConnected2d(before, after, size, 3, stride, padding=1, bias=norm == "none")
            layers += [layer, norm2d(norm, after), nonlinearity(activation)]
        layers.insert(3, MaxPool2d(2, ceil_mode=True))
        *_, last = _maps(shape)
        self.layers = Sequential(*layers, Flatten(), Linear(channels[-1] * prod(last), outputs))


class Dense(_Layers):
    """Three linear layers of `widths` units and the outputs: a unit sees all of the layer before.

    Shapes: input (batch, channels, height, width), flattened; output (batch, outputs). Names and errors are
    `Convolutional`'s.
    """

    def __init__(
        self, shape: tuple[int, ...], outputs: int, widths: Sizes, activation: str = "relu", norm: str = "none"
    ) -> None:
        super().__init__()
        check_sizes("Dense", shape, outputs=outputs, widths=min(widths))
        layers: list[Module] = [Flatten()]
        for before, after in pairwise((prod(shape), *widths)):
            layers.append(Linear(before, after))
            if norm != "none":
                layers.append(registry.load("norm", norm)(after))
            layers.append(nonlinearity(activation))
        self.layers = Sequential(*layers, Linear(widths[-1], outputs))


def convolutional(
    shape: tuple[int, ...], outputs: int, width: int = 16, activation: str = "relu", norm: str = "none"
) -> Convolutional:
    """`Convolutional` for images of `shape`, as a configuration names it."""
    return Convolutional(shape, outputs, width, activation, norm)


def locally_connected(
    shape: tuple[int, ...], outputs: int, width: int = 16, activation: str = "relu", norm: str = "none"
) -> LocallyConnected:
    """`LocallyConnected` for images of `shape`, as large as `convolutional` of `width`.

    Its channels, too, come as near as they can to doubling from layer to layer. Raises `UserError` if there are none:
    for large images, a single kernel a place may be more than all of a small convolutional network.
    """
    target = _target(shape, outputs, width, activation, norm)
    size = partial(_locally_connected_size, shape, outputs, norm)
    return LocallyConnected(shape, outputs, _fitting("locally_connected", target, size, growth=2), activation, norm)


def dense(shape: tuple[int, ...], outputs: int, width: int = 16, activation: str = "relu", norm: str = "none") -> Dense:
    """`Dense` for images of `shape`, as large as `convolutional` of `width`, with layers as nearly equal as can be.

    Raises `UserError` if there are none: the input alone may need more weights.
    """
    target = _target(shape, outputs, width, activation, norm)
    size = partial(_dense_size, shape, outputs, norm)
    return Dense(shape, outputs, _fitting("dense", target, size, growth=1), activation, norm)


def _maps(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Heights and widths of the input, and of what is left of it after each of the three layers."""
    sizes = [(shape[1], shape[2])]
    for _ in range(3):
        height, width = sizes[-1]
        sizes.append((ceil(height / 2), ceil(width / 2)))
    return sizes


def _target(shape: tuple[int, ...], outputs: int, width: int, activation: str, norm: str) -> int:
    """The parameters of the convolutional network."""
    with torch.device("meta"):
        return parameters(Convolutional(shape, outputs, width, activation, norm))


def _locally_connected_size(shape: tuple[int, ...], outputs: int, norm: str, *channels: int) -> int:
    """The parameters of `LocallyConnected`: a bias a unit, or a norm's two a channel."""
    total = 0
    places = [prod(size) for size in (shape[1:], *_maps(shape)[2:])]  # of each layer, the first one's before pooling
    for before, after, here in zip((shape[0], *channels[:-1]), channels, places, strict=True):
        total += 9 * before * after * here + (after * here if norm == "none" else 2 * after)
    return total + (channels[-1] * places[-1] + 1) * outputs


def _dense_size(shape: tuple[int, ...], outputs: int, norm: str, *widths: int) -> int:
    """The parameters of `Dense`: a bias a unit, and a norm's two."""
    hidden = sum((before + 1) * after for before, after in pairwise((prod(shape), *widths)))
    return hidden + (0 if norm == "none" else 2 * sum(widths)) + (widths[-1] + 1) * outputs


def _fitting(model: str, target: int, size: Size, growth: int) -> Sizes:
    """Of the layers' sizes that make `size` parameters of `target`, those that grow most evenly by `growth`."""

    def unevenness(sizes: Sizes) -> float:
        return sum(abs(log(after / before / growth)) for before, after in pairwise(sizes))

    fitting = [sizes for sizes in _candidates(target, size, growth) if abs(size(*sizes) - target) <= TOLERANCE * target]
    if not fitting:
        raise UserError(
            f"{model}: no layers make the {target} parameters that the convolutional network has: use a larger width"
        )
    return min(fitting, key=unevenness)


def _candidates(target: int, size: Size, growth: int) -> Iterator[Sizes]:
    """Layers' sizes; parameters grow in proportion with the third, which brings their number nearest to `target`."""
    for first in takewhile(lambda first: size(first, 1, 1) <= target, count(1)):
        for second in range(max(1, growth * first - REACH), growth * first + REACH + 1):
            none, one = size(first, second, 0), size(first, second, 1)
            third = round((target - none) / (one - none))
            if third > 0:
                yield first, second, third
