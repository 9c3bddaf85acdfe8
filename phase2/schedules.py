"""Learning-rate schedules as pure functions of the optimizer step, equal to torch's schedulers.

Each takes `step` (0-based), `total` (optimizer steps of the whole training) and `lr` (the base rate, which
is the peak), and returns the learning rate of that step. All raise `UserError` for values out of range.
"""

import math

from phase2.errors import UserError


def _check(step: int, total: int, lr: float, **positive: float) -> None:
    if total <= 0:
        raise UserError(f"total={total}: expected at least 1 optimizer step")
    if not 0 <= step < total:
        raise UserError(f"step={step}: expected 0 <= step < total={total}")
    if not (lr >= 0 and math.isfinite(lr)):
        raise UserError(f"lr={lr}: expected a learning rate of at least 0")
    for name, value in positive.items():
        if not value > 0:
            raise UserError(f"{name}={value}: expected a value above 0")


def _anneal(start: float, end: float, fraction: float) -> float:
    """Half a cosine from `start` (fraction 0) to `end` (fraction 1)."""
    return end + (start - end) * (1 + math.cos(math.pi * fraction)) / 2


def constant(step: int, total: int, lr: float) -> float:
    """lr throughout."""
    _check(step, total, lr)
    return lr


def step(step: int, total: int, lr: float, *, step_size: int | None = None, gamma: float = 0.1) -> float:
    """lr times gamma at every `step_size` steps (default: a third of total). torch's StepLR."""
    step_size = max(1, total // 3) if step_size is None else step_size
    _check(step, total, lr, step_size=step_size, gamma=gamma)
    return lr * gamma ** (step // step_size)


def cosine(step: int, total: int, lr: float, *, eta_min: float = 0.0) -> float:
    """Half a cosine from lr down to eta_min. Loshchilov & Hutter 2017, eq. 5; torch's CosineAnnealingLR."""
    _check(step, total, lr)
    return _anneal(lr, eta_min, step / total)


def warm_restarts(
    step: int, total: int, lr: float, *, T_0: int | None = None, T_mult: int = 2, eta_min: float = 0.0
) -> float:
    """Cosine periods of T_0 (default: total / 7, rounded up), T_0 T_mult, ... steps, each from lr to eta_min.

    With the defaults three periods, 1 + 2 + 4 sevenths, fill the training. SGDR: Loshchilov & Hutter 2017,
    eq. 5; torch's CosineAnnealingWarmRestarts.
    """
    T_0 = -(-total // 7) if T_0 is None else T_0  # rounded down, the last steps would restart once more
    _check(step, total, lr, T_0=T_0, T_mult=T_mult)
    T_cur, T_i = (step % T_0, T_0) if T_mult == 1 else (step, T_0)
    while T_cur >= T_i:
        T_cur, T_i = T_cur - T_i, T_i * T_mult
    return _anneal(lr, eta_min, T_cur / T_i)


def one_cycle(
    step: int,
    total: int,
    lr: float,
    *,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> float:
    """From lr / div_factor up to lr in the first `pct_start` of total, then to that start / final_div_factor.

    Smith & Topin 2018; torch's OneCycleLR (cosine, two phases, momentum untouched).
    """
    _check(step, total, lr, div_factor=div_factor, final_div_factor=final_div_factor)
    if not 0 <= pct_start <= 1:
        raise UserError(f"pct_start={pct_start}: expected a fraction of total between 0 and 1")
    start, peak_step, last_step = lr / div_factor, pct_start * total - 1, total - 1
    if step <= peak_step:
        return _anneal(start, lr, step / peak_step if peak_step > 0 else 1.0)
    return _anneal(lr, start / final_div_factor, (step - peak_step) / (last_step - peak_step))


def linear_warmup(
    step: int, total: int, lr: float, *, warmup_steps: int | None = None, start_factor: float = 1 / 3
) -> float:
    """Straight from start_factor lr to lr in `warmup_steps` (default: total // 10), then lr; LinearLR."""
    warmup_steps = max(1, total // 10) if warmup_steps is None else warmup_steps
    _check(step, total, lr, warmup_steps=warmup_steps, start_factor=start_factor)
    if warmup_steps > total:
        raise UserError(f"warmup_steps={warmup_steps}: expected at most total={total}, the steps there are")
    return lr * (start_factor + (1 - start_factor) * min(step / warmup_steps, 1))
