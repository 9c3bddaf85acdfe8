"""One optimizer step of a pack, once its gradients are there: unscale, clip, leave dead lanes where they are, move."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from phase2.train.groups import make_optimizer, set_rates
from phase2.train.lanes import Stack
from phase2.train.limits import LaneLimits
from phase2.train.precision import LossScaler
from phase2.train.recipe import Lane, Recipe
from phase2.train.scheduling import set_momentum


@dataclass
class Mover:
    """An optimizer of some lanes: of all; or of one, where a lane may skip a step that the others take."""

    lanes: slice
    optimizer: Optimizer
    parameters: list[Tensor]  # those of the stack, or views of its lanes


class Stepper:
    """Moves the trained parameters of a stack. `scaler` is there in float16 alone, where steps may be skipped."""

    def __init__(self, recipe: Recipe, lanes: list[Lane], stack: Stack, like: Tensor):
        """`like` has the type and device of learning rates."""
        self.parameters = [p for p in stack.parameters.values() if p.requires_grad]
        self.limits = LaneLimits.of(lanes, like)
        self.scaler = LossScaler(len(lanes), like.device) if recipe.precision == "fp16" else None
        self.unscaled = torch.ones_like(like[0])
        if self.scaler is None:
            optimizer = make_optimizer(recipe, lanes, stack.base, stack.parameters)
            self.movers = [Mover(slice(None), optimizer, self.parameters)]
        else:
            self.movers = [_mover_of(n, recipe, lane, stack) for n, lane in enumerate(lanes)]

    @property
    def scale(self) -> Tensor:
        """What losses (lanes,) are multiplied by before their gradients are taken."""
        return self.unscaled if self.scaler is None else self.scaler.scale

    def clip(self) -> Tensor:
        """Unscales the gradients, then clips them; their norms (lanes,) before that."""
        if self.scaler is None:
            return self.limits.clip(self.parameters)
        self.scaler.unscale_(self.parameters)
        norms = self.limits.clip(self.parameters)
        self.scaler.update(norms.isfinite())
        return norms

    def finite(self, losses: Tensor, norms: Tensor) -> Tensor:
        """The lanes (lanes,) that are still among the finite numbers. Under a scaler, gradients that are not may be
        so at the next, smaller scale.
        """
        if self.scaler is None:
            return losses.isfinite() & norms.isfinite()
        return losses.isfinite() & ~self.scaler.hopeless()

    def move(self, rates: Tensor, momentum: Tensor | None, moved: Tensor) -> None:
        """Takes a step in the lanes that are `moved` (lanes,), each at its rate; forgets the gradients."""
        if not bool(moved.all()):
            self._still(~moved)
        rates = rates * moved
        for mover in self.movers:
            if self.scaler is not None and not bool(moved[mover.lanes]):
                continue
            set_rates(mover.optimizer, rates[mover.lanes])
            if momentum is not None:
                set_momentum(mover.optimizer, momentum[mover.lanes])
            if mover.parameters is not self.parameters:
                for view, parameter in zip(mover.parameters, self.parameters, strict=True):
                    view.grad = None if parameter.grad is None else parameter.grad[mover.lanes]
            mover.optimizer.step()
            mover.optimizer.zero_grad()
        for parameter in self.parameters:
            parameter.grad = None

    def _still(self, lanes: Tensor) -> None:
        """Takes the gradients of some lanes out of the update."""
        for parameter in self.parameters:
            if parameter.grad is not None:
                parameter.grad.masked_fill_(lanes.reshape(-1, *[1] * (parameter.dim() - 1)), 0.0)

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` goes on from."""
        return {
            "optimizers": [mover.optimizer.state_dict() for mover in self.movers],
            "scaler": None if self.scaler is None else self.scaler.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` gave."""
        for mover, optimizer in zip(self.movers, state["optimizers"], strict=True):
            mover.optimizer.load_state_dict(optimizer)
        if self.scaler is not None:
            self.scaler.load_state_dict(state["scaler"])


def _mover_of(n: int, recipe: Recipe, lane: Lane, stack: Stack) -> Mover:
    """The optimizer of one lane, of views of its parameters (1, ...)."""
    part = slice(n, n + 1)
    views = {name: p.detach()[part].requires_grad_(p.requires_grad) for name, p in stack.parameters.items()}
    trained = [view for view in views.values() if view.requires_grad]
    return Mover(part, make_optimizer(recipe, [lane], stack.base, views), trained)
