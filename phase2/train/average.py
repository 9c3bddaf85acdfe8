"""Averages of the weights over the steps of a training: what is validated, kept as best and tested in their place."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from phase2 import registry
from phase2.errors import UserError
from phase2.task.task import Split
from phase2.train.lanes import Stack
from phase2.train.recipe import Recipe


class Average(ABC):
    """An average of stacked parameters, each (lanes, ...). Buffers are those of the network in training: running
    statistics are not averaged, nor are counters.

    A part of its kind is a subclass whose options are the arguments of its `__init__`. `start` comes before the first
    step, `after_step` after each, one that a loss scaler skipped too, and `after_epoch` after each epoch; both count
    from 1. With `reestimated` the running statistics that are judged are measured anew, with the averaged weights.
    """

    reestimated = False
    mean: dict[str, Tensor]
    taken = 0  # how many weights are in the mean

    def start(self, stack: Stack, steps: int, epochs: int) -> None:
        """Begins with the first weights, of a training of so many steps and epochs."""
        self.steps, self.epochs = steps, epochs
        self.mean = {name: value.detach().clone() for name, value in stack.parameters.items()}

    @abstractmethod
    def after_step(self, stack: Stack, step: int) -> None:
        """Takes in the weights after a step."""

    def after_epoch(self, stack: Stack, epoch: int) -> None:
        """Takes in the weights after an epoch."""
        return

    def judged(self, stack: Stack) -> Stack:
        """The networks with the average of the weights, and copies of the buffers."""
        return replace(stack, parameters=self.mean, buffers={name: b.clone() for name, b in stack.buffers.items()})

    def move(self, stack: Stack, share: float) -> None:
        """Moves the mean towards the weights by a share of the way."""
        now = [value.detach() for value in stack.parameters.values()]
        torch._foreach_lerp_(list(self.mean.values()), now, share)

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` goes on from."""
        mean = {name: value.cpu() for name, value in self.mean.items()}
        return {"mean": mean, "taken": self.taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` gave."""
        self.taken = state["taken"]
        for name, value in self.mean.items():
            value.copy_(state["mean"][name])


def average_of(recipe: Recipe) -> Average:
    """The average of a recipe; raises `UserError` for options that it refuses."""
    name, options = recipe.average, dict(recipe.average_options)
    try:
        return registry.load("average", name)(**options)
    except TypeError as error:
        raise UserError(f"the average {name} refuses its options {options}: {error}") from error


@torch.no_grad()
def reestimate(stack: Stack, part: Split, dtype: torch.dtype, batch_size: int) -> None:
    """Makes the running statistics the means of those of the batches of a part, in place; nothing else changes.

    Izmailov et al. 2018, algorithm 1. As `torch.optim.swa_utils.update_bn`, but that nothing is dropped out.
    """
    norms: list[Any] = [m for m in stack.base.modules() if getattr(m, "running_mean", None) is not None]
    if not norms:
        return
    usual = [norm.momentum for norm in norms]
    stack.base.eval()
    for norm in norms:
        norm.train()
    for name, value in stack.buffers.items():
        if name.endswith("num_batches_tracked"):
            value.zero_()
    plain = stack.uncompiled()
    for number, batch in enumerate(part.in_order(batch_size, dtype), start=1):
        for norm in norms:
            norm.momentum = 1 / number  # of the mean of all so far
        plain.measure(*batch)
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum
