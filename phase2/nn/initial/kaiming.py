"""He et al.'s initialization."""

from torch import Generator, Tensor
from torch.nn import Module

from phase2.card import Card
from phase2.nn.init import kaiming_normal_
from phase2.nn.initial.recipe import fill_weights

CARD = Card(
    "init",
    "kaiming",
    label="Kaiming",
    definition=r"$\mathcal{N}(0, 2/n_\mathrm{in})$",
    cites="he2015",
    order=2,
)


def kaiming(model: Module, *, generator: Generator, batch: Tensor) -> dict[str, float]:
    """Weights N(0, 2 / fan_in). He et al. 2015, eq. 10."""
    return fill_weights(model, lambda weight: kaiming_normal_(weight, nonlinearity="relu", generator=generator))
