"""A straight rise, the peak, and a straight fall at the end."""

from functools import partial

from phase2.card import Card
from phase2.errors import UserError
from phase2.schedules.compose import sequence
from phase2.schedules.constant import constant
from phase2.schedules.linear import linear
from phase2.schedules.warming import warmup_of

CARD = Card(
    "schedule",
    "warmup_stable_decay",
    label="warm-up-stable-decay",
    definition=(
        r"a line from $\eta/3$ to $\eta$ while $u < 0.1$, then $\eta$, then $10\,\eta\,(1 - u)$ "
        "from $u = 0.9$ on"
    ),
    cites="hu2024",
    order=16,
)


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
    warmup_steps = warmup_of(step, total, lr, warmup_steps)
    decay_steps = total // 10 if decay_steps is None else decay_steps
    if not 0 <= decay_steps <= total - warmup_steps:
        raise UserError(
            f"decay_steps={decay_steps}: expected 0 to {total - warmup_steps}, "
            f"what warmup_steps={warmup_steps} leaves of total={total}"
        )
    rise = partial(linear, start_factor=start_factor, end_factor=1.0)
    fall = partial(linear, end_factor=end_factor)
    return sequence(rise, constant, fall, milestones=[warmup_steps, total - decay_steps])(step, total, lr)
