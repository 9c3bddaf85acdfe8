"""The rate that falls in equal steps."""

from phase2.card import Card
from phase2.schedules.check import check_positive, check_range, check_training

CARD = Card(
    "schedule",
    "step",
    label="step",
    definition=r"$\eta \cdot 0.1^{\lfloor t / \lfloor T/3 \rfloor \rfloor}$",
    order=2,
)


def step(step: int, total: int, lr: float, *, step_size: int | None = None, gamma: float = 0.1) -> float:
    """lr times gamma at every `step_size` steps (default: a third of total). torch's StepLR."""
    step_size = max(1, total // 3) if step_size is None else step_size
    check_training(step, total, lr)
    check_positive(step_size=step_size, gamma=gamma)
    check_range(0, 1, gamma=gamma)
    return lr * gamma ** (step // step_size)
