"""Schedules that start at the peak and only fall: constant, in steps, by powers, in a line."""

from bisect import bisect_right
from collections.abc import Sequence

from phase2.schedules.check import check_milestones, check_positive, check_range, check_training


def constant(step: int, total: int, lr: float) -> float:
    """lr throughout."""
    check_training(step, total, lr)
    return lr


def step(step: int, total: int, lr: float, *, step_size: int | None = None, gamma: float = 0.1) -> float:
    """lr times gamma at every `step_size` steps (default: a third of total). torch's StepLR."""
    step_size = max(1, total // 3) if step_size is None else step_size
    check_training(step, total, lr)
    check_positive(step_size=step_size, gamma=gamma)
    check_range(0, 1, gamma=gamma)
    return lr * gamma ** (step // step_size)


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


def exponential(step: int, total: int, lr: float, *, gamma: float | None = None) -> float:
    """lr times gamma at every step (default: such that a hundredth is left after total). torch's ExponentialLR."""
    check_training(step, total, lr)
    gamma = 0.01 ** (1 / total) if gamma is None else gamma
    check_positive(gamma=gamma)
    check_range(0, 1, gamma=gamma)
    return lr * gamma**step


def linear(
    step: int,
    total: int,
    lr: float,
    *,
    start_factor: float = 1.0,
    end_factor: float = 0.0,
    total_iters: int | None = None,
) -> float:
    """Straight from start_factor lr to end_factor lr in `total_iters` steps (default: total). torch's LinearLR."""
    total_iters = total if total_iters is None else total_iters
    check_training(step, total, lr)
    check_positive(total_iters=total_iters)
    check_range(0, 1, start_factor=start_factor, end_factor=end_factor)
    return lr * (start_factor + (end_factor - start_factor) * min(step / total_iters, 1))


def polynomial(step: int, total: int, lr: float, *, total_iters: int | None = None, power: float = 0.9) -> float:
    """lr (1 - step / total_iters)^power, then 0; total_iters defaults to total. torch's PolynomialLR.

    The default power is that of Chen et al. 2018 (DeepLab).
    """
    total_iters = total if total_iters is None else total_iters
    check_training(step, total, lr)
    check_positive(total_iters=total_iters, power=power)
    return lr * (1 - min(step / total_iters, 1)) ** power
