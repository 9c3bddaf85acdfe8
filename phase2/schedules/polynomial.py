"""The rate that falls by a power."""

from phase2.card import Card
from phase2.schedules.check import check_positive, check_training

CARD = Card(
    "schedule",
    "polynomial",
    label="polynomial",
    definition=r"$\eta\,(1 - u)^{0.9}$",
    cites="chen2018",
    order=6,
)


def polynomial(step: int, total: int, lr: float, *, total_iters: int | None = None, power: float = 0.9) -> float:
    """lr (1 - step / total_iters)^power, then 0; total_iters defaults to total. torch's PolynomialLR.

    The default power is that of Chen et al. 2018 (DeepLab).
    """
    total_iters = total if total_iters is None else total_iters
    check_training(step, total, lr)
    check_positive(total_iters=total_iters, power=power)
    return lr * (1 - min(step / total_iters, 1)) ** power
