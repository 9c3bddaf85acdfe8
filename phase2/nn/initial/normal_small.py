"""Weights that are too small."""

from torch import Generator, Tensor
from torch.nn import Module

from phase2.card import Card
from phase2.nn.init import normal_
from phase2.nn.initial.recipe import fill_weights

CARD = Card(
    "init",
    "normal_small",
    label="N(0, 0.01²)",
    definition=r"$\mathcal{N}(0, 0.01^2)$ whatever the layer's size",
    order=6,
)


def normal_small(model: Module, *, generator: Generator, batch: Tensor) -> dict[str, float]:
    """Weights N(0, 0.01²): too small for a deep network, the signal fades."""
    return fill_weights(model, lambda weight: normal_(weight, std=0.01, generator=generator))
