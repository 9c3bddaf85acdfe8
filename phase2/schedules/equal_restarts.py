"""Half cosines of one length."""

from phase2.card import Card
from phase2.schedules.check import check_positive
from phase2.schedules.warm_restarts import warm_restarts

CARD = Card(
    "schedule",
    "equal_restarts",
    label="equal restarts",
    definition=(
        r"$\eta\,(1 + \cos \pi v)/2$, $v$ the part done of the current period; three periods of "
        "one length"
    ),
    cites="loshchilov2017",
    order=9,
)


def equal_restarts(step: int, total: int, lr: float, *, periods: int = 3, eta_min: float = 0.0) -> float:
    """`periods` cosines of one length, total / periods rounded up: `warm_restarts` with T_mult = 1."""
    check_positive(periods=periods)
    return warm_restarts(step, total, lr, T_0=-(-total // periods), T_mult=1, eta_min=eta_min)
