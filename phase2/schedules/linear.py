"""The rate that falls in a straight line."""

from phase2.card import Card
from phase2.schedules.check import check_positive, check_range, check_training

CARD = Card(
    "schedule",
    "linear",
    label="linear",
    definition=r"$\eta\,(1 - u)$",
    order=5,
)


def linear(
    step: int,
    total: int,
    lr: float,
    *,
    start_factor: float = 1.0,
    end_factor: float = 0.0,
    total_iters: int | None = None,
) -> float:
    """Straight from start_factor lr to end_factor lr in `total_iters` steps (default: total). torch's LinearLR."""
    total_iters = total if total_iters is None else total_iters
    check_training(step, total, lr)
    check_positive(total_iters=total_iters)
    check_range(0, 1, start_factor=start_factor, end_factor=end_factor)
    return lr * (start_factor + (end_factor - start_factor) * min(step / total_iters, 1))
