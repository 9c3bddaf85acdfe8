"""Heavy-ball momentum."""

from typing import Any

from torch.optim.optimizer import ParamsT

from phase2.card import Card
from phase2.optim.sgd import SGD

CARD = Card(
    "optimizer",
    "momentum",
    label="momentum",
    definition="gradient descent with momentum",
    cites="polyak1964",
    order=2,
    traits={"momentum": 0.9},
)


def momentum(params: ParamsT, **options: Any) -> SGD:
    """Heavy-ball momentum, Polyak 1964: `SGD` with a momentum of 0.9 unless `options` say otherwise."""
    return SGD(params, **{"momentum": 0.9, **options})
