"""Checks of schedules' arguments: each raises `UserError` with the name, the value and what was expected."""

import math
from collections.abc import Sequence

from phase2.errors import UserError


def check_step(step: int, total: int) -> None:
    if total <= 0:
        raise UserError(f"total={total}: expected at least 1 optimizer step")
    if not 0 <= step < total:
        raise UserError(f"step={step}: expected 0 <= step < total={total}")


def check_training(step: int, total: int, lr: float) -> None:
    check_step(step, total)
    if not (lr >= 0 and math.isfinite(lr)):
        raise UserError(f"lr={lr}: expected a learning rate of at least 0")


def check_positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise UserError(f"{name}={value}: expected a value above 0")


def check_range(low: float, high: float, /, **values: float) -> None:
    for name, value in values.items():
        if not low <= value <= high:
            raise UserError(f"{name}={value}: expected a value from {low:g} to {high:g}")


def check_steps(total: int, **steps: int) -> None:
    """For a part of a training, such as its warm-up."""
    check_positive(**steps)
    for name, value in steps.items():
        if value > total:
            raise UserError(f"{name}={value}: expected at most total={total}, the steps there are")


def check_milestones(milestones: Sequence[int]) -> None:
    if list(milestones) != sorted(milestones) or any(milestone < 1 for milestone in milestones):
        raise UserError(f"milestones={list(milestones)}: expected steps of at least 1 in rising order")
