"""Half a cosine up, then the peak."""

from phase2.card import Card
from phase2.schedules.anneal import anneal
from phase2.schedules.check import check_range
from phase2.schedules.warming import warmup_of

CARD = Card(
    "schedule",
    "cosine_warmup",
    label="cosine warm-up",
    definition=r"$\eta\,(2 - \cos 10 \pi u)/3$ while $u < 0.1$, then $\eta$",
    order=13,
)


def cosine_warmup(
    step: int, total: int, lr: float, *, warmup_steps: int | None = None, start_factor: float = 1 / 3
) -> float:
    """Half a cosine from start_factor lr up to lr in `warmup_steps`, then lr."""
    warmup_steps = warmup_of(step, total, lr, warmup_steps)
    check_range(0, 1, start_factor=start_factor)
    return anneal(start_factor * lr, lr, min(step / warmup_steps, 1))
