"""RMSprop: the gradient divided by a running root mean square of itself."""

from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from phase2.card import Card
from phase2.optim.base import LaneOptimizer, column, count_step, in_dtype, require
from phase2.optim.lanes import Tensors, add_ratio_, add_scaled, add_scaled_, is_active, spread

CARD = Card(
    "optimizer",
    "RMSprop",
    label="RMSprop",
    definition="RMSprop",
    cites="tieleman2012",
    order=4,
)


class RMSprop(LaneOptimizer):
    """θ ← θ - lr g / (√v + eps), with v a running mean of g²; drop-in for `torch.optim.RMSprop`.

    Tieleman & Hinton 2012, lecture 6e. `centered` takes the squared running mean of g from v, and `momentum`
    accumulates the quotients: Graves 2013, equations 38 to 41, in torch's form (eps outside the root, lr outside the
    momentum). `weight_decay` is L2. `lr`, `weight_decay` and `momentum` may be (lanes,). Raises `UserError` for an
    option out of range, and for torch's `capturable` and `differentiable`.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float | Tensor = 0,
        momentum: float | Tensor = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults, capturable=capturable, differentiable=differentiable)

    def check(self, options: dict[str, Any]) -> None:
        require(options["lr"] >= 0, "learning rate", options["lr"])
        require(options["eps"] >= 0, "epsilon value", options["eps"])
        require(options["momentum"] >= 0, "momentum value", options["momentum"])
        require(options["weight_decay"] >= 0, "weight_decay value", options["weight_decay"])
        require(options["alpha"] >= 0, "alpha value", options["alpha"])

    def start(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        means = [
            "square_avg",
            *(["momentum_buffer"] if is_active(group["momentum"]) else []),
            *(["grad_avg"] if group["centered"] else []),
        ]
        return {"step": torch.tensor(0.0)} | {name: torch.zeros_like(param) for name in means}

    def update(self, params: Tensors, grads: Tensors, states: list[dict[str, Any]], group: dict[str, Any]) -> None:
        lr, mu, decay = (in_dtype(group[name], params) for name in ("lr", "momentum", "weight_decay"))
        if is_active(decay):
            grads = add_scaled(grads, params, decay)
        count_step(states)
        denominators = self._root_mean_squares(grads, states, group["alpha"], group["centered"])
        torch._foreach_add_(denominators, group["eps"])
        if is_active(mu):
            v = column(states, "momentum_buffer")
            torch._foreach_mul_(v, spread(mu, v))
            torch._foreach_addcdiv_(v, grads, denominators)
            add_scaled_(params, v, -lr)
        else:
            add_ratio_(params, grads, denominators, -lr)

    def _root_mean_squares(
        self, grads: Tensors, states: list[dict[str, Any]], alpha: float, centered: bool
    ) -> tuple[Tensor, ...]:
        squares = column(states, "square_avg")
        torch._foreach_mul_(squares, alpha)
        torch._foreach_addcmul_(squares, grads, grads, value=1 - alpha)
        if not centered:
            return torch._foreach_sqrt(squares)
        means = column(states, "grad_avg")
        torch._foreach_lerp_(means, grads, 1 - alpha)
        variances = torch._foreach_addcmul(squares, means, means, value=-1)
        torch._foreach_sqrt_(variances)
        return variances
