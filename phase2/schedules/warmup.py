"""Schedules that rise to the peak before anything else; the rise takes a tenth of total unless said otherwise."""

import math
from functools import partial

from phase2.errors import UserError
from phase2.schedules.check import check_range, check_steps, check_training
from phase2.schedules.compose import sequence
from phase2.schedules.cosine import anneal, cosine
from phase2.schedules.decay import constant, linear


def _warmup(step: int, total: int, lr: float, warmup_steps: int | None) -> int:
    check_training(step, total, lr)
    warmup_steps = max(1, total // 10) if warmup_steps is None else warmup_steps
    check_steps(total, warmup_steps=warmup_steps)
    return warmup_steps


def linear_warmup(
    step: int, total: int, lr: float, *, warmup_steps: int | None = None, start_factor: float = 1 / 3
) -> float:
    """Straight from start_factor lr to lr in `warmup_steps`, then lr. Goyal et al. 2017, section 2.2; LinearLR."""
    warmup_steps = _warmup(step, total, lr, warmup_steps)
    return linear(step, total, lr, start_factor=start_factor, end_factor=1.0, total_iters=warmup_steps)


def cosine_warmup(
    step: int, total: int, lr: float, *, warmup_steps: int | None = None, start_factor: float = 1 / 3
) -> float:
    """Half a cosine from start_factor lr up to lr in `warmup_steps`, then lr."""
    warmup_steps = _warmup(step, total, lr, warmup_steps)
    check_range(0, 1, start_factor=start_factor)
    return anneal(start_factor * lr, lr, min(step / warmup_steps, 1))


def warmup_cosine(
    step: int,
    total: int,
    lr: float,
    *,
    warmup_steps: int | None = None,
    start_factor: float = 1 / 3,
    eta_min: float = 0.0,
) -> float:
    """`linear_warmup`, then half a cosine from lr to eta_min. torch's SequentialLR of both."""
    warmup_steps = _warmup(step, total, lr, warmup_steps)
    rise = partial(linear, start_factor=start_factor, end_factor=1.0)
    return sequence(rise, partial(cosine, eta_min=eta_min), milestones=[warmup_steps])(step, total, lr)


def inverse_sqrt(step: int, total: int, lr: float, *, warmup_steps: int | None = None) -> float:
    """Straight from 0 to lr, reached at the last of `warmup_steps`; then lr falls with the root of the step number.

    Vaswani et al. 2017, eq. 3, with lr in place of (d_model warmup_steps)^-1/2. The paper counts steps from 1.
    """
    warmup_steps = _warmup(step, total, lr, warmup_steps)
    return lr * min((step + 1) / warmup_steps, math.sqrt(warmup_steps / (step + 1)))


def warmup_stable_decay(
    step: int,
    total: int,
    lr: float,
    *,
    warmup_steps: int | None = None,
    decay_steps: int | None = None,
    start_factor: float = 1 / 3,
    end_factor: float = 0.0,
) -> float:
    """`linear_warmup`, then lr until the last `decay_steps` (default: total // 10) lead straight to end_factor lr.

    Hu et al. 2024 (MiniCPM), with a straight decay.
    """
    warmup_steps = _warmup(step, total, lr, warmup_steps)
    decay_steps = total // 10 if decay_steps is None else decay_steps
    if not 0 <= decay_steps <= total - warmup_steps:
        raise UserError(
            f"decay_steps={decay_steps}: expected 0 to {total - warmup_steps}, "
            f"what warmup_steps={warmup_steps} leaves of total={total}"
        )
    rise = partial(linear, start_factor=start_factor, end_factor=1.0)
    fall = partial(linear, end_factor=end_factor)
    return sequence(rise, constant, fall, milestones=[warmup_steps, total - decay_steps])(step, total, lr)
