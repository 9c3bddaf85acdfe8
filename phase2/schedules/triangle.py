"""The rate up and down in straight lines."""

from phase2.card import Card
from phase2.schedules.check import check_range, check_training

CARD = Card(
    "schedule",
    "triangle",
    label="triangle",
    definition=r"a line from $0.2\,\eta$ up to $\eta$ while $u < 0.23$, then a line down to $0.07\,\eta$",
    cites="jordan2024",
    order=17,
)


def triangle(
    step: int, total: int, lr: float, *, peak: float = 0.23, start_factor: float = 0.2, end_factor: float = 0.07
) -> float:
    """Straight from start_factor lr up to lr in the first `peak` of total, then straight to end_factor lr.

    The rise takes whole steps, none in a training of a few. Jordan 2024, appendix.
    """
    check_training(step, total, lr)
    check_range(0, 1, peak=peak, start_factor=start_factor, end_factor=end_factor)
    rise = int(total * peak)
    if step < rise:
        return lr * (start_factor + (1 - start_factor) * step / rise)
    return lr * (1 + (end_factor - 1) * (step - rise) / (total - rise))
