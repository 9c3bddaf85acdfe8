"""Schedules made of half cosines: one, several with restarts, and the cycle up and down with its momentum."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from phase2.schedules.check import check_positive, check_range, check_training


def anneal(start: float, end: float, fraction: float) -> float:
    """Half a cosine from `start` (fraction 0) to `end` (fraction 1)."""
    return end + (start - end) * (1 + math.cos(math.pi * fraction)) / 2


def cosine(step: int, total: int, lr: float, *, eta_min: float = 0.0) -> float:
    """Half a cosine from lr down to eta_min. Loshchilov & Hutter 2017, eq. 5; torch's CosineAnnealingLR."""
    check_training(step, total, lr)
    check_range(0, lr, eta_min=eta_min)
    return anneal(lr, eta_min, step / total)


def warm_restarts(
    step: int, total: int, lr: float, *, T_0: int | None = None, T_mult: int = 2, eta_min: float = 0.0
) -> float:
    """Cosine periods of T_0 (default: total / 7, rounded up), T_0 T_mult, ... steps, each from lr to eta_min.

    With the defaults three periods, 1 + 2 + 4 sevenths, fill the training. SGDR: Loshchilov & Hutter 2017,
    eq. 5; torch's CosineAnnealingWarmRestarts.
    """
    T_0 = -(-total // 7) if T_0 is None else T_0  # rounded down, the last steps would restart once more
    check_training(step, total, lr)
    check_positive(T_0=T_0, T_mult=T_mult)
    check_range(0, lr, eta_min=eta_min)
    T_cur, T_i = (step % T_0, T_0) if T_mult == 1 else (step, T_0)
    while T_cur >= T_i:
        T_cur, T_i = T_cur - T_i, T_i * T_mult
    return anneal(lr, eta_min, T_cur / T_i)


def equal_restarts(step: int, total: int, lr: float, *, periods: int = 3, eta_min: float = 0.0) -> float:
    """`periods` cosines of one length, total / periods rounded up: `warm_restarts` with T_mult = 1."""
    check_positive(periods=periods)
    return warm_restarts(step, total, lr, T_0=-(-total // periods), T_mult=1, eta_min=eta_min)


def one_cycle(
    step: int,
    total: int,
    lr: float,
    *,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> float:
    """From lr / div_factor up to lr in the first `pct_start` of total, then to that start / final_div_factor.

    With `three_phase` the fall to the start takes as long as the rise, and the rest of total leads on to the end.
    Smith & Topin 2018; torch's OneCycleLR.
    """
    check_training(step, total, lr)
    check_range(1, math.inf, div_factor=div_factor, final_div_factor=final_div_factor)
    start = lr / div_factor
    end = start / final_div_factor
    levels = (start, lr, start, end) if three_phase else (start, lr, end)
    return _through(step, _ends(total, pct_start, three_phase), levels)


def _ends(total: int, pct_start: float, three_phase: bool) -> tuple[float, ...]:
    """The last step of each phase; a fraction of a step, as in torch."""
    check_range(0, 0.5 if three_phase else 1, pct_start=pct_start)
    peak = pct_start * total - 1
    return (peak, 2 * peak, total - 1) if three_phase else (peak, total - 1)


def _through(step: int, ends: Sequence[float], levels: Sequence[float]) -> float:
    """Phase i leads from levels[i] to levels[i + 1] and ends at step ends[i]."""
    phase = next(i for i, end in enumerate(ends) if step <= end)
    begin, end = ends[phase - 1] if phase else 0.0, ends[phase]
    return anneal(levels[phase], levels[phase + 1], (step - begin) / (end - begin) if end > begin else 1.0)


def _one_cycle_momentum(
    step: int,
    total: int,
    *,
    base_momentum: float = 0.85,
    max_momentum: float = 0.95,
    pct_start: float = 0.3,
    three_phase: bool = False,
) -> float:
    """From max_momentum down to base_momentum while `one_cycle` rises, and back while it falls."""
    check_training(step, total, 0.0)
    check_range(0, 1, max_momentum=max_momentum)
    check_range(0, max_momentum, base_momentum=base_momentum)
    levels = (max_momentum, base_momentum, max_momentum, max_momentum)
    return _through(step, _ends(total, pct_start, three_phase), levels)


@dataclass(frozen=True)
class Cycled:
    """A schedule `rate` with a companion `momentum(step, total)`, for the optimizer's momentum or beta1."""

    rate: Callable[..., float]
    momentum: Callable[..., float]

    def __call__(self, step: int, total: int, lr: float, **options: float) -> float:
        return self.rate(step, total, lr, **options)


one_cycle_momentum = Cycled(one_cycle, _one_cycle_momentum)
