"""Stochastic gradient descent with momentum."""

from typing import Any

from torch import Tensor
from torch.optim.optimizer import ParamsT

from phase2.errors import UserError
from phase2.optim.base import LaneOptimizer, require
from phase2.optim.lanes import add_scaled_


class SGD(LaneOptimizer):
    """v ← μ v + (1 - τ) g, θ ← θ - lr v, with g the gradient plus weight_decay θ; drop-in for torch's.

    μ is `momentum`, τ `dampening`; under `nesterov` the step is along g + μ v. Sutskever et al. 2013,
    section 2, in torch's form (lr multiplies v, and the first v is g). `lr` and `weight_decay` may be
    (lanes,). Raises `UserError` for an option out of range, and for torch's `foreach`, `differentiable` and
    `fused`.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
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
        }
        super().__init__(params, defaults, foreach=foreach, differentiable=differentiable, fused=fused)

    def check(self, options: dict[str, Any]) -> None:
        require(options["lr"] >= 0, "learning rate", options["lr"])
        require(options["momentum"] >= 0, "momentum value", options["momentum"])
        require(options["weight_decay"] >= 0, "weight_decay value", options["weight_decay"])
        if options["nesterov"] and (options["momentum"] <= 0 or options["dampening"] != 0):
            raise UserError("Nesterov momentum requires a momentum and zero dampening")

    def update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        mu = group["momentum"]
        decay = group["weight_decay"]
        if isinstance(decay, Tensor) or decay != 0:
            grad = add_scaled_(grad.clone(), param, decay)
        if mu != 0:
            v = state.get("momentum_buffer")
            if v is None:
                v = state["momentum_buffer"] = grad.clone()
            else:
                v.mul_(mu).add_(grad, alpha=1 - group["dampening"])
            grad = grad.add(v, alpha=mu) if group["nesterov"] else v
        add_scaled_(param, grad, -group["lr"])
