"""What a claim rests on: estimates with their intervals, and verdicts: true, false, or "cannot say", None if an
interval leaves it open, else a text that says why.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from phase2.errors import UserError
from phase2.stats.interval import mean_interval

Verdict = bool | str | None
SHARES = ("%", "points")  # units that are shown times 100


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` seeds with the ends of its interval, which are NaN where the seeds are too few for one.

    `unit` is what it is told in: % of a share, points for a difference of shares, nats, times, or nothing.
    """

    value: float
    low: float
    high: float
    n: int
    unit: str = ""

    def above(self, bound: float = 0.0) -> Verdict:
        """Whether the whole interval lies above the bound; False if it lies below it whole."""
        return True if self.low > bound else False if self.high < bound else None

    def below(self, bound: float = 0.0) -> Verdict:
        """Whether the whole interval lies below the bound; False if it lies above it whole."""
        return True if self.high < bound else False if self.low > bound else None

    def within(self, margin: float) -> Verdict:
        """Whether it is equivalent to zero: the whole interval lies between -margin and margin, which is two one-sided
        t-tests (Schuirmann 1987); False if all of it lies outside. Raises `UserError` for a margin that nothing fits.
        """
        if not margin > 0:
            raise UserError(f"a margin of {margin}: expected the largest difference that is none, above 0")
        return all_of(self.above(-margin), self.below(margin))

    @property
    def text(self) -> str:
        """The value with its interval and unit: +1.2 points [0.4, 2.0]."""
        scale = 100 if self.unit in SHARES else 1
        sign = "+" if self.unit == "points" else ""
        value, low, high = (_digits(scale * number, self.unit) for number in (self.value, self.low, self.high))
        shown = f"{sign if self.value >= 0 else ''}{value}{'%' if self.unit == '%' else ''}"
        shown = shown if self.unit in ("", "%") else f"{shown} {self.unit}"
        ends = math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high
        return f"{shown} [{low}, {high}]" if ends else shown


def _digits(number: float, unit: str) -> str:
    """Shares to a decimal, other numbers to three digits."""
    if unit in SHARES:
        return f"{number:.1f}"
    return f"{number:.0f}" if abs(number) >= 1000 else f"{number:.3g}"


@dataclass(frozen=True)
class Evidence:
    """What a claim's criterion says of some results, or why it cannot say, and the numbers that it lends to a text."""

    holds: bool | None
    why: str
    numbers: Mapping[str, Estimate]

    def __init__(self, holds: Verdict, **numbers: Estimate) -> None:
        """Raises `TypeError` for a verdict or a number of another type."""
        if wrong := [name for name, number in numbers.items() if not isinstance(number, Estimate)]:
            raise TypeError(f"{wrong[0]} is no Estimate: make it by estimate(...), or by exact(...)")
        verdict = _verdict(holds)
        object.__setattr__(self, "holds", None if isinstance(verdict, str) else verdict)
        object.__setattr__(self, "why", verdict if isinstance(verdict, str) else "")
        object.__setattr__(self, "numbers", numbers)


def estimate(by_seed: pd.Series | np.ndarray, unit: str = "") -> Estimate:
    """The mean of one value a seed with Student's interval, cut to where a share (in %) can be; of fewer than five
    seeds it has none.
    """
    values = np.asarray(by_seed, dtype=float)
    if not len(values):
        return Estimate(math.nan, math.nan, math.nan, 0, unit)
    low, high = (float(end[0]) for end in mean_interval(values[None]))
    if unit == "%":
        low, high = np.clip([low, high], 0, 1).tolist()
    return Estimate(float(values.mean()), low, high, len(values), unit)


def exact(value: float, unit: str = "", n: int = 1) -> Estimate:
    """A number that does not vary with the seed, or the extreme of all that were measured."""
    return Estimate(float(value), float(value), float(value), n, unit)


def _verdict(value: Any) -> Verdict:
    """A verdict, of NumPy's truth values too; raises `TypeError` for what is none."""
    if value is not None and not isinstance(value, bool | np.bool_ | str):
        raise TypeError(f"{value!r} is no verdict: expected True, False, None for cannot say, or a text that says why")
    return value if value is None or isinstance(value, str) else bool(value)


def all_of(*verdicts: Verdict) -> Verdict:
    """Whether all hold: False as soon as one does not, else what keeps the first from being said."""
    verdicts = tuple(map(_verdict, verdicts))
    return False if False in verdicts else next((v for v in verdicts if v is not True), True)


def any_of(*verdicts: Verdict) -> Verdict:
    """Whether one holds: True as soon as one does, else what keeps the first from being said."""
    verdicts = tuple(map(_verdict, verdicts))
    return True if True in verdicts else next((v for v in verdicts if v is not False), False)
