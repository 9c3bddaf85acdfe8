"""Adam: adaptive moment estimation."""

from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from phase2.card import Card
from phase2.errors import UserError
from phase2.optim.base import LaneOptimizer, column, count_step, in_dtype, require
from phase2.optim.lanes import Tensors, add_ratio_, add_scaled, is_active, spread

Betas = tuple[float | Tensor, float]

CARD = Card(
    "optimizer",
    "Adam",
    label="Adam",
    definition="Adam",
    cites="kingma2015",
    order=6,
)


class Adam(LaneOptimizer):
    """θ ← θ - lr m̂ / (√v̂ + eps), with m̂ and v̂ the bias-corrected moments; drop-in for `torch.optim.Adam`.

    Kingma & Ba 2015, algorithm 1; `amsgrad` divides by the largest v so far, Reddi et al. 2018, algorithm 2.
    `weight_decay` is L2: it enters the gradient and so the moments, unless it is decoupled as in `AdamW`. `lr`,
    `weight_decay` and the first of `betas` may be (lanes,). Raises `UserError` for an option out of range, and for
    torch's `capturable`, `differentiable` and `fused`.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: Betas = (0.9, 0.999),
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
            "foreach": foreach,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults, capturable=capturable, differentiable=differentiable, fused=fused)

    def check(self, options: dict[str, Any]) -> None:
        require(options["lr"] >= 0, "learning rate", options["lr"])
        require(options["eps"] >= 0, "epsilon value", options["eps"])
        for i, beta in enumerate(options["betas"]):
            require((beta >= 0) & (beta < 1), f"beta parameter at index {i}", beta)
        if isinstance(options["betas"][1], Tensor):
            raise UserError(f"betas[1]={options['betas'][1]}: expected a number, only betas[0] may differ by lane")
        require(options["weight_decay"] >= 0, "weight_decay value", options["weight_decay"])

    def start(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        moments = ["exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if group["amsgrad"] else [])]
        # the step is a tensor, as in torch's state dicts
        return {"step": torch.tensor(0.0)} | {name: torch.zeros_like(param) for name in moments}

    def update(self, params: Tensors, grads: Tensors, states: list[dict[str, Any]], group: dict[str, Any]) -> None:
        beta1, beta2 = group["betas"]
        lr, decay, beta1 = (in_dtype(value, params) for value in (group["lr"], group["weight_decay"], beta1))
        t = count_step(states)
        m, v = column(states, "exp_avg"), column(states, "exp_avg_sq")

        if is_active(decay):
            if group["decoupled_weight_decay"]:
                torch._foreach_mul_(params, spread(1 - lr * decay, params))
            else:
                grads = add_scaled(grads, params, decay)
        torch._foreach_lerp_(m, grads, spread(1 - beta1, m))
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, grads, grads, value=1 - beta2)
        if group["amsgrad"]:
            largest = column(states, "max_exp_avg_sq")
            torch._foreach_maximum_(largest, v)
            v = largest

        # v̂'s correction is taken out of the root, as at the end of section 2 of the paper: one pass less
        correction = (1 - beta2**t) ** 0.5
        denominators = torch._foreach_sqrt(v)
        torch._foreach_add_(denominators, group["eps"] * correction)
        add_ratio_(params, m, denominators, -lr * correction / (1 - beta1**t))
