"""What schedules say for every step and lane of a training: its learning rate, and its momentum if one cycles it."""

import torch
from torch import Tensor
from torch.optim import Optimizer

from phase2 import registry
from phase2.errors import UserError
from phase2.train.recipe import Lane


def rates(lanes: list[Lane], total: int) -> Tensor:
    """The learning rate of every step and lane: (total, lanes), float64."""
    columns = []
    for lane in lanes:
        schedule = registry.load("schedule", lane.schedule)
        columns.append([schedule(step, total, lane.lr) for step in range(total)])
    return torch.tensor(columns, dtype=torch.float64).T.contiguous()


def of_each_lane(table: Tensor, taken: Tensor) -> Tensor:
    """Each lane's entry (lanes,) of a table (total, lanes) after the steps that it has `taken` (lanes,)."""
    return table.gather(0, taken.unsqueeze(0)).squeeze(0)


def momenta(lanes: list[Lane], optimizer: Optimizer, like: Tensor) -> Tensor | None:
    """The momentum of every step and lane, of the shape and type of `like`; None if no lane's schedule cycles it.

    A lane whose schedule does not keeps the optimizer's own. Raises `UserError` for an optimizer without momentum.
    """
    cycles = [getattr(registry.load("schedule", lane.schedule), "momentum", None) for lane in lanes]
    if not any(cycles):
        return None
    own, total = _momentum(optimizer), len(like)
    columns = [[cycle(step, total) if cycle else own for step in range(total)] for cycle in cycles]
    return like.new_tensor(columns).T.contiguous()


def set_momentum(optimizer: Optimizer, momentum: Tensor) -> None:
    """Gives every lane its momentum (lanes,): SGD's own, or Adam's first beta, as torch's OneCycleLR does."""
    for group in optimizer.param_groups:
        if "betas" in group:
            group["betas"] = (momentum, group["betas"][1])
        else:
            group["momentum"] = momentum


def _momentum(optimizer: Optimizer) -> float:
    group = optimizer.param_groups[0]
    if "betas" in group:
        return group["betas"][0]
    if not group.get("momentum"):
        raise UserError(
            f"a schedule cycles the momentum, and {type(optimizer).__name__} has none: "
            "set the optimizer's momentum above 0, or choose one_cycle, which leaves it alone"
        )
    return group["momentum"]
