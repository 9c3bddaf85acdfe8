"""The layers of three networks of equally many parameters: convolutional, without shared weights, and dense.

All have three hidden layers and a linear output layer. They differ in what a unit sees and in whether units share their
weights. LeCun 1989 ("Generalization and network design strategies"). The convolutional one is as wide as it is told;
the others are found to be as large as it is (`phase2.models.fitting`), to 1%, with all biases and normalizations.
"""

from math import ceil

from torch import Tensor
from torch.nn import Module, Sequential

STRIDES = 1, 2, 2  # of the three layers; a max pooling by 2 follows the first


class Layers(Module):
    """A network that is one sequence."""

    layers: Sequential

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def maps(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Heights and widths of the input, and of what is left of it after each of the three layers."""
    sizes = [(shape[1], shape[2])]
    for _ in range(3):
        height, width = sizes[-1]
        sizes.append((ceil(height / 2), ceil(width / 2)))
    return sizes
