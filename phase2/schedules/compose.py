"""Schedules made from schedules: one after the other, and several at once."""

from bisect import bisect_right
from collections.abc import Sequence
from math import prod
from typing import Protocol

from phase2.errors import UserError
from phase2.schedules.check import check_milestones, check_training


class Schedule(Protocol):
    """The learning rate at `step` of `total` steps, with peak `lr`."""

    def __call__(self, step: int, total: int, lr: float, /) -> float: ...


def sequence(*parts: Schedule, milestones: Sequence[int]) -> Schedule:
    """One part after the other, the next from each milestone on; torch's SequentialLR.

    A part counts its own steps from 0, and its total is what lies between its milestones. The schedule raises
    `UserError` for a training that is shorter than the last milestone.

    >>> from phase2.schedules import constant, linear
    >>> halfway = sequence(constant, linear, milestones=[2])
    >>> [halfway(step, 4, 0.1) for step in range(4)]
    [0.1, 0.1, 0.1, 0.05]
    """
    check_milestones(milestones)
    if len(parts) != len(milestones) + 1:
        raise UserError(
            f"milestones={list(milestones)}: expected one fewer than the {len(parts)} parts of the sequence"
        )

    def schedule(step: int, total: int, lr: float) -> float:
        check_training(step, total, lr)
        bounds = [0, *milestones, total]
        if bounds[-2] > total:
            raise UserError(f"milestones={list(milestones)}: expected steps of at most total={total}")
        part = bisect_right(milestones, step)
        return parts[part](step - bounds[part], bounds[part + 1] - bounds[part], lr)

    return schedule


def product(*factors: Schedule) -> Schedule:
    """lr times what each factor makes of 1; torch's ChainedScheduler."""

    def schedule(step: int, total: int, lr: float) -> float:
        check_training(step, total, lr)
        return lr * prod(factor(step, total, 1.0) for factor in factors)

    return schedule
