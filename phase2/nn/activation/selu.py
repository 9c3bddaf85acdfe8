"""SELU. Klambauer et al. 2017."""

from functools import partial

import torch
from torch import Tensor

from phase2.card import Card
from phase2.nn.activation.elementwise import check_inplace, elementwise
from phase2.nn.activation.elu import FORMULAS as ELU
from phase2.nn.activation.formulas import Formulas

CARD = Card(
    "activation",
    "SELU",
    label="SELU",
    definition=r"$\lambda \max(x, 0) + \lambda \min(\alpha (e^{x} - 1), 0)$",
    cites="klambauer2017",
    order=5,
)

# ELU, with α and s for which mean 0 and variance 1 is a fixed point: Klambauer et al. 2017, eq. 14.
ALPHA, SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


_f, _f1, _f2 = (partial(f, alpha=ALPHA, scale=SCALE) for f in (ELU.f, ELU.f1, ELU.f2))
FORMULAS = Formulas(_f, _f1, _f2)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """`elu` scaled so that layers keep mean 0 and variance 1. Klambauer et al. 2017, eq. 2."""
    return elementwise("selu", FORMULAS, input, inplace=inplace)


class SELU(torch.nn.SELU):
    """`selu` as a layer; drop-in for `torch.nn.SELU`. Raises `UserError` for `inplace`."""

    def __init__(self, inplace: bool = False) -> None:
        check_inplace(inplace)
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return selu(input, self.inplace)
