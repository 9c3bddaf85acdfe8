"""ReLU. Nair & Hinton 2010."""

import torch
from torch import Tensor

from phase2.card import Card
from phase2.nn.activation.elementwise import check_inplace, elementwise
from phase2.nn.activation.formulas import Formulas, zero

CARD = Card(
    "activation",
    "ReLU",
    label="ReLU",
    definition=r"$\max(x, 0)$",
    cites="nair2010",
    order=1,
)

# f = max(x, 0);  f' = g(f), g = 1 if f > 0 else 0, which is f's sign, since f >= 0;  g' = 0.


def _relu(x: Tensor) -> Tensor:
    return x.clamp(min=0)


FORMULAS = Formulas(_relu, torch.sign, zero, of_output=True)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0); the derivative at 0 is 0. Nair & Hinton 2010."""
    return elementwise("relu", FORMULAS, input, inplace=inplace)


class ReLU(torch.nn.ReLU):
    """`relu` as a layer; drop-in for `torch.nn.ReLU`. Raises `UserError` for `inplace`."""

    def __init__(self, inplace: bool = False) -> None:
        check_inplace(inplace)
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return relu(input, self.inplace)
