"""Networks as large as `Convolutional` of some width: the sizes of their layers are searched for."""

from collections.abc import Callable, Iterator
from itertools import count, pairwise, takewhile
from math import log

import torch

from phase2.errors import UserError
from phase2.models.convolutional import Convolutional
from phase2.models.counting import parameters

TOLERANCE = 0.01  # of the parameters
REACH = 8  # channels or units by which the second layer may miss an even growth

Sizes = tuple[int, int, int]  # channels or units of the three hidden layers
Size = Callable[[int, int, int], int]


def target(shape: tuple[int, ...], outputs: int, width: int, activation: str, norm: str) -> int:
    """The parameters of the convolutional network."""
    with torch.device("meta"):
        return parameters(Convolutional(shape, outputs, width, activation, norm))


def fitting(model: str, target: int, size: Size, growth: int) -> Sizes:
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
