"""Half a cosine from one level to another, and several after each other."""

import math
from collections.abc import Sequence

from phase2.schedules.check import check_range


def anneal(start: float, end: float, fraction: float) -> float:
    """Half a cosine from `start` (fraction 0) to `end` (fraction 1)."""
    return end + (start - end) * (1 + math.cos(math.pi * fraction)) / 2


def ends(total: int, pct_start: float, three_phase: bool) -> tuple[float, ...]:
    """The last step of each phase; a fraction of a step, as in torch."""
    check_range(0, 0.5 if three_phase else 1, pct_start=pct_start)
    peak = pct_start * total - 1
    return (peak, 2 * peak, total - 1) if three_phase else (peak, total - 1)


def through(step: int, ends: Sequence[float], levels: Sequence[float]) -> float:
    """Phase i leads from levels[i] to levels[i + 1] and ends at step ends[i]."""
    phase = next(i for i, end in enumerate(ends) if step <= end)
    begin, end = ends[phase - 1] if phase else 0.0, ends[phase]
    return anneal(levels[phase], levels[phase + 1], (step - begin) / (end - begin) if end > begin else 1.0)
