"""Nesterov's momentum."""

from typing import Any

from torch.optim.optimizer import ParamsT

from phase2.card import Card
from phase2.optim.sgd import SGD

CARD = Card(
    "optimizer",
    "nesterov",
    label="Nesterov",
    definition="gradient descent with Nesterov's momentum",
    cites="nesterov1983",
    order=3,
    traits={"momentum": 0.9},
)


def nesterov(params: ParamsT, **options: Any) -> SGD:
    """Nesterov's momentum, in the form of Sutskever et al. 2013: `SGD` with 0.9 unless `options` say otherwise."""
    return SGD(params, **{"momentum": 0.9, "nesterov": True, **options})
