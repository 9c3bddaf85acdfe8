"""The rate that falls by a factor a step."""

from phase2.card import Card
from phase2.schedules.check import check_positive, check_range, check_training

CARD = Card(
    "schedule",
    "exponential",
    label="exponential",
    definition=r"$\eta \cdot 0.01^{u}$",
    order=4,
)


def exponential(step: int, total: int, lr: float, *, gamma: float | None = None) -> float:
    """lr times gamma at every step (default: such that a hundredth is left after total). torch's ExponentialLR."""
    check_training(step, total, lr)
    gamma = 0.01 ** (1 / total) if gamma is None else gamma
    check_positive(gamma=gamma)
    check_range(0, 1, gamma=gamma)
    return lr * gamma**step
