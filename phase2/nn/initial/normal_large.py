"""Weights that are too large."""

from torch import Generator, Tensor
from torch.nn import Module

from phase2.card import Card
from phase2.nn.init import normal_
from phase2.nn.initial.recipe import fill_weights

CARD = Card(
    "init",
    "normal_large",
    label="N(0, 1)",
    definition=r"$\mathcal{N}(0, 1)$ whatever the layer's size",
    order=7,
)


def normal_large(model: Module, *, generator: Generator, batch: Tensor) -> dict[str, float]:
    """Weights N(0, 1): too large for a deep network, the signal explodes or saturates."""
    return fill_weights(model, lambda weight: normal_(weight, std=1.0, generator=generator))
