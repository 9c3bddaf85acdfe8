"""Glorot and Bengio's initialization."""

from torch import Generator, Tensor
from torch.nn import Module

from phase2.card import Card
from phase2.nn.init import xavier_normal_
from phase2.nn.initial.recipe import fill_weights

CARD = Card(
    "init",
    "xavier",
    label="Xavier",
    definition=r"$\mathcal{N}(0, 2/(n_\mathrm{in} + n_\mathrm{out}))$",
    cites="glorot2010",
    order=1,
)


def xavier(model: Module, *, generator: Generator, batch: Tensor) -> dict[str, float]:
    """Weights N(0, 2 / (fan_in + fan_out)). Glorot & Bengio 2010, eq. 12."""
    return fill_weights(model, lambda weight: xavier_normal_(weight, generator=generator))
