"""The dense one of three networks of equally many parameters."""

from functools import partial
from itertools import pairwise
from math import prod

from torch.nn import Flatten, Module, Sequential

from phase2 import registry
from phase2.card import Card
from phase2.models.blocks import check_sizes, nonlinearity
from phase2.models.fitting import Sizes, fitting, target
from phase2.models.sharing import Layers
from phase2.nn.linear import Linear

CARD = Card(
    "model",
    "dense",
    label="dense",
    definition="a dense network",
    order=10,
)


class Dense(Layers):
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


def dense(shape: tuple[int, ...], outputs: int, width: int = 16, activation: str = "relu", norm: str = "none") -> Dense:
    """`Dense` for images of `shape`, as large as `convolutional` of `width`, with layers as nearly equal as can be.

    Raises `UserError` if there are none: the input alone may need more weights.
    """
    goal = target(shape, outputs, width, activation, norm)
    size = partial(_dense_size, shape, outputs, norm)
    return Dense(shape, outputs, fitting("dense", goal, size, growth=1), activation, norm)


def _dense_size(shape: tuple[int, ...], outputs: int, norm: str, *widths: int) -> int:
    """The parameters of `Dense`: a bias a unit, and a norm's two."""
    hidden = sum((before + 1) * after for before, after in pairwise((prod(shape), *widths)))
    return hidden + (0 if norm == "none" else 2 * sum(widths)) + (widths[-1] + 1) * outputs
