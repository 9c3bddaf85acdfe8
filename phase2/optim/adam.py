"""Adam: adaptive moment estimation."""

from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from phase2.optim.base import LaneOptimizer, require
from phase2.optim.lanes import add_scaled_, per_lane


class Adam(LaneOptimizer):
    """θ ← θ - lr m̂ / (√v̂ + eps), with m̂ and v̂ the bias-corrected moments; drop-in for `torch.optim.Adam`.

    Kingma & Ba 2015, algorithm 1; `amsgrad` divides by the largest v so far, Reddi et al. 2018, algorithm 2.
    `weight_decay` is L2: it enters the gradient and so the moments. `lr` and `weight_decay` may be (lanes,).
    Raises `UserError` for an option out of range, and for torch's `foreach`, `capturable`, `differentiable`,
    `fused` and `decoupled_weight_decay`.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float | Tensor = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
        }
        super().__init__(
            params,
            defaults,
            foreach=foreach,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    def check(self, options: dict[str, Any]) -> None:
        require(options["lr"] >= 0, "learning rate", options["lr"])
        require(options["eps"] >= 0, "epsilon value", options["eps"])
        for i, beta in enumerate(options["betas"]):
            require(0 <= beta < 1, f"beta parameter at index {i}", beta)
        require(options["weight_decay"] >= 0, "weight_decay value", options["weight_decay"])

    def update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["step"] = torch.tensor(0.0)  # a tensor, as in torch's state dicts
            state["exp_avg"] = torch.zeros_like(param)
            state["exp_avg_sq"] = torch.zeros_like(param)
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = torch.zeros_like(param)
        m, v = state["exp_avg"], state["exp_avg_sq"]
        beta1, beta2 = group["betas"]
        state["step"] += 1
        t = state["step"].item()

        decay = group["weight_decay"]
        if isinstance(decay, Tensor) or decay != 0:
            grad = add_scaled_(grad.clone(), param, decay)
        m.lerp_(grad, 1 - beta1)
        v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        if group["amsgrad"]:
            v = torch.maximum(state["max_exp_avg_sq"], v, out=state["max_exp_avg_sq"])

        denominator = v.sqrt().div_((1 - beta2**t) ** 0.5).add_(group["eps"])
        step_size = per_lane(group["lr"], param) / (1 - beta1**t)
        if isinstance(step_size, Tensor):
            param.sub_(torch.div(m, denominator, out=denominator).mul_(step_size))
        else:
            param.addcdiv_(m, denominator, value=-step_size)
