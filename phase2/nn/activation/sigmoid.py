"""The logistic function."""

import torch
from torch import Tensor

from phase2.card import Card
from phase2.nn.activation.elementwise import elementwise
from phase2.nn.activation.formulas import Formulas

CARD = Card(
    "activation",
    "Sigmoid",
    label="sigmoid",
    definition=r"$\sigma(x) = 1/(1 + e^{-x})$",
    order=13,
)

# f = 1 / (1 + e⁻ˣ);  f' = g(f), g = f (1 - f);  g' = 1 - 2f.


def _sigmoid1(y: Tensor) -> Tensor:
    return (1 - y).mul_(y)


def _sigmoid2(y: Tensor) -> Tensor:
    return 1 - 2 * y


FORMULAS = Formulas(torch.sigmoid, _sigmoid1, _sigmoid2, of_output=True)


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + e⁻ˣ)."""
    return elementwise("sigmoid", FORMULAS, input)


class Sigmoid(torch.nn.Sigmoid):
    """`sigmoid` as a layer; drop-in for `torch.nn.Sigmoid`."""

    def forward(self, input: Tensor) -> Tensor:
        return sigmoid(input)
