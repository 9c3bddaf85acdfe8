"""The rate that stays."""

from phase2.card import Card
from phase2.schedules.check import check_training

CARD = Card(
    "schedule",
    "constant",
    label="constant",
    definition=r"$\eta$",
    order=1,
)


def constant(step: int, total: int, lr: float) -> float:
    """lr throughout."""
    check_training(step, total, lr)
    return lr
