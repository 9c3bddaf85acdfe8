"""One cycle of the rate, and of the momentum the other way."""

from collections.abc import Callable
from dataclasses import dataclass

from phase2.card import Card
from phase2.schedules.anneal import ends, through
from phase2.schedules.check import check_range, check_training
from phase2.schedules.one_cycle import one_cycle

CARD = Card(
    "schedule",
    "one_cycle_momentum",
    label="one-cycle + momentum",
    definition=(
        "the rate of one-cycle; momentum takes half a cosine from $0.95$ down to $0.85$ while "
        "$u < 0.3$, then half a cosine back"
    ),
    cites="smith2018",
    order=11,
)


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
    return through(step, ends(total, pct_start, three_phase), levels)


@dataclass(frozen=True)
class Cycled:
    """A schedule `rate` with a companion `momentum(step, total)`, for the optimizer's momentum or beta1."""

    rate: Callable[..., float]
    momentum: Callable[..., float]

    def __call__(self, step: int, total: int, lr: float, **options: float) -> float:
        return self.rate(step, total, lr, **options)


one_cycle_momentum = Cycled(one_cycle, _one_cycle_momentum)
