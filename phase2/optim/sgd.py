"""Stochastic gradient descent with momentum."""

from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from phase2.card import Card
from phase2.errors import UserError
from phase2.optim.base import LaneOptimizer, column, in_dtype, require
from phase2.optim.lanes import Tensors, add_scaled, add_scaled_, is_active, spread

CARD = Card(
    "optimizer",
    "SGD",
    label="SGD",
    definition="stochastic gradient descent",
    cites="robbins1951",
    order=1,
)


class SGD(LaneOptimizer):
    """v ← μ v + (1 - τ) g, θ ← θ - lr v, with g the gradient plus weight_decay θ; drop-in for torch's.

    μ is `momentum`, τ `dampening`; under `nesterov` the step is along g + μ v. Sutskever et al. 2013,
    section 2, in torch's form (lr multiplies v, and the first v is g). `lr`, `weight_decay` and `momentum` may be
    (lanes,). Raises `UserError` for an option out of range, and for torch's `differentiable` and `fused`.

    >>> θ = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = SGD([θ], lr=0.1)
    >>> θ.square().sum().backward()  # g = 2 θ
    >>> optimizer.step()
    >>> θ.data
    tensor([0.8000])
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float | Tensor = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
        }
        super().__init__(params, defaults, differentiable=differentiable, fused=fused)

    def check(self, options: dict[str, Any]) -> None:
        require(options["lr"] >= 0, "learning rate", options["lr"])
        require(options["momentum"] >= 0, "momentum value", options["momentum"])
        require(options["weight_decay"] >= 0, "weight_decay value", options["weight_decay"])
        if options["nesterov"] and (not is_active(options["momentum"]) or options["dampening"] != 0):
            raise UserError("Nesterov momentum requires a momentum and zero dampening")

    def start(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {}  # the first v is the first gradient

    def update(self, params: Tensors, grads: Tensors, states: list[dict[str, Any]], group: dict[str, Any]) -> None:
        lr, mu, decay = (in_dtype(group[name], params) for name in ("lr", "momentum", "weight_decay"))
        if is_active(decay):
            grads = add_scaled(grads, params, decay)
        if is_active(mu):
            v = self._velocities(grads, states, mu, group["dampening"])
            grads = add_scaled(grads, v, mu) if group["nesterov"] else v
        add_scaled_(params, grads, -lr)

    def _velocities(
        self, grads: Tensors, states: list[dict[str, Any]], mu: float | Tensor, dampening: float
    ) -> list[Tensor]:
        if states[0]:
            v = column(states, "momentum_buffer")
            torch._foreach_mul_(v, spread(mu, v))
            torch._foreach_add_(v, grads, alpha=1 - dampening)
            return v
        for state, grad in zip(states, grads, strict=True):
            state["momentum_buffer"] = grad.clone()
        return column(states, "momentum_buffer")
