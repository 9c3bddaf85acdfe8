"""A straight rise, then the peak."""

from phase2.card import Card
from phase2.schedules.linear import linear
from phase2.schedules.warming import warmup_of

CARD = Card(
    "schedule",
    "linear_warmup",
    label="linear warm-up",
    definition=r"a line from $\eta/3$ to $\eta$ while $u < 0.1$, then $\eta$",
    cites="goyal2017",
    order=12,
)


def linear_warmup(
    step: int, total: int, lr: float, *, warmup_steps: int | None = None, start_factor: float = 1 / 3
) -> float:
    """Straight from start_factor lr to lr in `warmup_steps`, then lr. Goyal et al. 2017, section 2.2; LinearLR."""
    warmup_steps = warmup_of(step, total, lr, warmup_steps)
    return linear(step, total, lr, start_factor=start_factor, end_factor=1.0, total_iters=warmup_steps)
