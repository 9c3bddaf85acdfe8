"""One half cosine from the peak down."""

from phase2.card import Card
from phase2.schedules.anneal import anneal
from phase2.schedules.check import check_range, check_training

CARD = Card(
    "schedule",
    "cosine",
    label="cosine",
    definition=r"$\eta\,(1 + \cos \pi u)/2$",
    cites="loshchilov2017",
    order=7,
)


def cosine(step: int, total: int, lr: float, *, eta_min: float = 0.0) -> float:
    """Half a cosine from lr down to eta_min. Loshchilov & Hutter 2017, eq. 5; torch's CosineAnnealingLR.

    >>> [round(cosine(step, 4, lr=0.1), 3) for step in range(4)]
    [0.1, 0.085, 0.05, 0.015]
    """
    check_training(step, total, lr)
    check_range(0, lr, eta_min=eta_min)
    return anneal(lr, eta_min, step / total)
