"""The rate that falls at milestones."""

from bisect import bisect_right
from collections.abc import Sequence

from phase2.card import Card
from phase2.schedules.check import check_milestones, check_positive, check_range, check_training

CARD = Card(
    "schedule",
    "multi_step",
    label="multi-step",
    definition=r"$\eta$ while $u < 1/2$, $\eta/10$ while $u < 3/4$, then $\eta/100$",
    cites="he2016",
    order=3,
)


def multi_step(
    step: int, total: int, lr: float, *, milestones: Sequence[int] | None = None, gamma: float = 0.1
) -> float:
    """lr times gamma at every milestone (default: half and three quarters of total, rounded up). torch's MultiStepLR.

    The default is the plan of He et al. 2016, section 4.2, for CIFAR-10.
    """
    milestones = (-(-total // 2), -(-3 * total // 4)) if milestones is None else milestones
    check_training(step, total, lr)
    check_milestones(milestones)
    check_positive(gamma=gamma)
    check_range(0, 1, gamma=gamma)
    return lr * gamma ** bisect_right(milestones, step)
