"""One cycle of the rate: up, and all the way down."""

import math

from phase2.card import Card
from phase2.schedules.anneal import ends, through
from phase2.schedules.check import check_range, check_training

CARD = Card(
    "schedule",
    "one_cycle",
    label="one-cycle",
    definition=(
        r"half a cosine from $\eta/25$ up to $\eta$ while $u < 0.3$, then half a cosine down to "
        r"$\eta/(25 \cdot 10^4)$"
    ),
    cites="smith2018",
    order=10,
)


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
    return through(step, ends(total, pct_start, three_phase), levels)
