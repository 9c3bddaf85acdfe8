"""How long a rise to the peak takes."""

from phase2.schedules.check import check_steps, check_training


def warmup_of(step: int, total: int, lr: float, warmup_steps: int | None) -> int:
    """The steps of a rise: those that are given, else a tenth of total. Raises `UserError` for more than there are."""
    check_training(step, total, lr)
    warmup_steps = max(1, total // 10) if warmup_steps is None else warmup_steps
    check_steps(total, warmup_steps=warmup_steps)
    return warmup_steps
