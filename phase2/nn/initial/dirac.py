"""Convolutions that begin by passing their input on."""

import math

from torch import Generator, Tensor
from torch.nn import Module

from phase2.card import Card
from phase2.nn.init import dirac_, kaiming_uniform_
from phase2.nn.initial.recipe import fill_weights

CARD = Card(
    "init",
    "dirac",
    label="identity",
    definition=(
        r"$\mathcal{U}(-1/\sqrt{n_\mathrm{in}}, 1/\sqrt{n_\mathrm{in}})$, and a convolution's first filters, as many "
        "as it has inputs, pass each of these on"
    ),
    cites="jordan2024",
    order=8,
)


def dirac(model: Module, *, generator: Generator, batch: Tensor) -> dict[str, float]:
    """Weights U(-k, k), k = 1/sqrt(fan in), and over a convolution's first filters the identity on its inputs.

    Linear layers have no such filters. Jordan 2024, section 3.3.
    """

    def fill(weight: Tensor) -> Tensor:
        kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)
        if weight.ndim > 2:
            dirac_(weight[: weight.shape[1]])
        return weight

    return fill_weights(model, fill)
