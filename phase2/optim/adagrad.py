"""Adagrad: the gradient divided by the root of the sum of all its squares."""

from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from phase2.card import Card
from phase2.optim.base import LaneOptimizer, column, count_step, in_dtype, require
from phase2.optim.lanes import Tensors, add_ratio_, add_scaled, is_active

CARD = Card(
    "optimizer",
    "Adagrad",
    label="Adagrad",
    definition="Adagrad",
    cites="duchi2011",
    order=5,
)


class Adagrad(LaneOptimizer):
    """θ ← θ - lr / (1 + (t - 1) lr_decay) g / (√s + eps), with s the sum of g²; drop-in for `torch.optim.Adagrad`.

    Duchi et al. 2011, the diagonal form of section 1.1; s starts at `initial_accumulator_value`. `weight_decay` is L2.
    `lr` and `weight_decay` may be (lanes,). Raises `UserError` for an option out of range, and for torch's
    `differentiable` and `fused`.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float | Tensor = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults, differentiable=differentiable, fused=fused)

    def check(self, options: dict[str, Any]) -> None:
        initial = options["initial_accumulator_value"]
        require(options["lr"] >= 0, "learning rate", options["lr"])
        require(options["lr_decay"] >= 0, "lr_decay value", options["lr_decay"])
        require(options["weight_decay"] >= 0, "weight_decay value", options["weight_decay"])
        require(initial >= 0, "initial_accumulator_value value", initial)
        require(options["eps"] >= 0, "epsilon value", options["eps"])

    def start(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": torch.tensor(0.0), "sum": torch.full_like(param, group["initial_accumulator_value"])}

    def update(self, params: Tensors, grads: Tensors, states: list[dict[str, Any]], group: dict[str, Any]) -> None:
        lr, decay = (in_dtype(group[name], params) for name in ("lr", "weight_decay"))
        if is_active(decay):
            grads = add_scaled(grads, params, decay)
        t = count_step(states)
        sums = column(states, "sum")
        torch._foreach_addcmul_(sums, grads, grads)
        denominators = torch._foreach_sqrt(sums)
        torch._foreach_add_(denominators, group["eps"])
        add_ratio_(params, grads, denominators, -lr / (1 + (t - 1) * group["lr_decay"]))
