"""Adam with decoupled weight decay."""

from typing import Any

from torch import Tensor
from torch.optim.optimizer import ParamsT

from phase2.card import Card
from phase2.optim.adam import Adam, Betas

CARD = Card(
    "optimizer",
    "AdamW",
    label="AdamW",
    definition="AdamW",
    cites="loshchilov2019",
    order=7,
)


class AdamW(Adam):
    """Adam with decoupled weight decay, θ ← (1 - lr weight_decay) θ before each step; drop-in for torch's.

    Loshchilov & Hutter 2019, algorithm 2, in torch's form (lr multiplies the decay). Lanes and errors as in `Adam`.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float | Tensor = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True  # whatever was loaded, as in torch
