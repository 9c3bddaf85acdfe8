"""LeakyReLU. Maas et al. 2013."""

import torch
from torch import Tensor

from phase2.card import Card
from phase2.nn.activation.elementwise import check_inplace, elementwise
from phase2.nn.activation.formulas import Formulas, zero

CARD = Card(
    "activation",
    "LeakyReLU",
    label="LeakyReLU",
    definition=r"$\max(x, 0) + 0.01 \min(x, 0)$",
    cites="maas2013",
    order=2,
)

# f = x if x > 0 else a x;  f' = 1 if x > 0 else a;  f'' = 0.


def _leaky_relu(x: Tensor, a: float = 0.01) -> Tensor:
    return slopes(x, a).mul_(x)


def slopes(x: Tensor, a: float = 0.01) -> Tensor:
    return torch.threshold_(x.sign(), 0, a)


FORMULAS = Formulas(_leaky_relu, slopes, zero)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope x. Maas et al. 2013."""
    return elementwise("leaky_relu", FORMULAS, input, negative_slope, inplace=inplace)


class LeakyReLU(torch.nn.LeakyReLU):
    """`leaky_relu` as a layer; drop-in for `torch.nn.LeakyReLU`. Raises `UserError` for `inplace`."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        check_inplace(inplace)
        super().__init__(negative_slope)

    def forward(self, input: Tensor) -> Tensor:
        return leaky_relu(input, self.negative_slope, self.inplace)
