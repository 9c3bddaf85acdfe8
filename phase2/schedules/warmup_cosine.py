"""A straight rise, then half a cosine down."""

from functools import partial

from phase2.card import Card
from phase2.schedules.compose import sequence
from phase2.schedules.cosine import cosine
from phase2.schedules.linear import linear
from phase2.schedules.warming import warmup_of

CARD = Card(
    "schedule",
    "warmup_cosine",
    label="warm-up + cosine",
    definition=(
        r"a line from $\eta/3$ to $\eta$ while $u < 0.1$, then $\eta\,(1 + \cos \pi v)/2$ with "
        "$v = (u - 0.1)/0.9$"
    ),
    cites="goyal2017,loshchilov2017",
    order=14,
)


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
    warmup_steps = warmup_of(step, total, lr, warmup_steps)
    rise = partial(linear, start_factor=start_factor, end_factor=1.0)
    return sequence(rise, partial(cosine, eta_min=eta_min), milestones=[warmup_steps])(step, total, lr)
