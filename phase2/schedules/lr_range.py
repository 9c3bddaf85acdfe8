"""The learning-rate range test's schedule."""

from typing import Literal

from phase2.errors import unknown
from phase2.schedules.check import check_positive, check_range, check_training

Growth = Literal["exponential", "linear"]


def range_test(step: int, total: int, lr: float, *, low: float | None = None, growth: Growth = "exponential") -> float:
    """From `low` (default: lr / 10^6) at the first step up to lr at the last. Smith 2017, section 3.3 (linear).

    Exponential growth multiplies the rate by the same factor at every step, so each decade gets the same share.
    """
    check_training(step, total, lr)
    low = lr / 1e6 if low is None else low
    check_range(0, lr, low=low)
    fraction = step / (total - 1) if total > 1 else 1.0
    if growth == "exponential":
        check_positive(lr=lr, low=low)
        return low ** (1 - fraction) * lr**fraction
    if growth == "linear":
        return low + (lr - low) * fraction
    raise unknown("growth", growth, ("exponential", "linear"))
