"""The hyperbolic tangent."""

import torch
from torch import Tensor

from phase2.card import Card
from phase2.nn.activation.elementwise import elementwise
from phase2.nn.activation.formulas import Formulas

CARD = Card(
    "activation",
    "Tanh",
    label="tanh",
    definition=r"$\tanh x$",
    order=12,
)

# f = tanh x;  f' = g(f), g = 1 - f²;  g' = -2 f.


def _tanh1(y: Tensor) -> Tensor:
    return (y * y).neg_().add_(1)


def _tanh2(y: Tensor) -> Tensor:
    return -2 * y


FORMULAS = Formulas(torch.tanh, _tanh1, _tanh2, of_output=True)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return elementwise("tanh", FORMULAS, input)


class Tanh(torch.nn.Tanh):
    """`tanh` as a layer; drop-in for `torch.nn.Tanh`."""

    def forward(self, input: Tensor) -> Tensor:
        return tanh(input)
