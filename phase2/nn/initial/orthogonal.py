"""Orthonormal weights."""

from torch import Generator, Tensor
from torch.nn import Module

from phase2.card import Card
from phase2.nn.init import orthogonal_
from phase2.nn.initial.recipe import fill_weights

CARD = Card(
    "init",
    "orthogonal",
    label="orthogonal",
    definition="orthonormal rows or columns",
    cites="saxe2014",
    order=3,
)


def orthogonal(model: Module, *, generator: Generator, batch: Tensor) -> dict[str, float]:
    """Orthonormal rows or columns, gain 1. Saxe et al. 2014."""
    return fill_weights(model, lambda weight: orthogonal_(weight, generator=generator))
