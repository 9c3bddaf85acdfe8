"""Softplus. Dugas et al. 2001."""

import torch
from torch import Tensor

from phase2.card import Card
from phase2.errors import UserError
from phase2.nn.activation.elementwise import elementwise
from phase2.nn.activation.formulas import Formulas

CARD = Card(
    "activation",
    "Softplus",
    label="softplus",
    definition=r"$\log(1 + e^{x})$",
    cites="dugas2001",
    order=11,
)

# f = log(1 + e^βx) / β if βx <= threshold else x;  f' = σ(βx) or 1;  f'' = β σ (1 - σ) or 0.


def _softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    soft = (x * beta).clamp_(max=threshold).exp_().log1p_().div_(beta)
    return torch.where(x * beta > threshold, x, soft)


def _softplus1(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    z = x * beta
    return torch.sigmoid(z).masked_fill_(z > threshold, 1)


def _softplus2(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    z = beta * x
    return beta * (torch.sigmoid(z) * torch.sigmoid(-z)).masked_fill(z >= threshold, 0)


FORMULAS = Formulas(_softplus, _softplus1, _softplus2)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e^(beta x)) / beta, and x where beta x > threshold. Dugas et al. 2001.

    Raises `UserError` for beta <= 0. On a GPU under autocast x is raised to float32, as in torch.
    """
    if not beta > 0:
        raise UserError(f"softplus: beta={beta}, expected above 0")
    if input.is_cuda and torch.is_autocast_enabled("cuda"):
        input = input.float()
    return elementwise("softplus", FORMULAS, input, beta, threshold)


class Softplus(torch.nn.Softplus):
    """`softplus` as a layer; drop-in for `torch.nn.Softplus`. Raises `UserError` for beta <= 0."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        if not beta > 0:
            raise UserError(f"Softplus: beta={beta}, expected above 0")
        super().__init__(beta, threshold)

    def forward(self, input: Tensor) -> Tensor:
        return softplus(input, self.beta, self.threshold)
