"""Swish, with a fixed beta. Ramachandran et al. 2017."""

import torch
from torch import Tensor

from phase2.nn.activation.elementwise import elementwise
from phase2.nn.activation.formulas import Formulas

# f = x σ(βx), SiLU at β = 1;  f' = σ (1 + βx (1 - σ));  f'' = β σ (1 - σ) (2 + βx (1 - 2σ)).


def _swish(x: Tensor, beta: float = 1.0) -> Tensor:
    return (x * beta).sigmoid_().mul_(x)


def _swish1(x: Tensor, beta: float = 1.0) -> Tensor:
    s = (x * beta).sigmoid_()
    return (1 - s).mul_(x).mul_(beta).add_(1).mul_(s)


def _swish2(x: Tensor, beta: float = 1.0) -> Tensor:
    s = torch.sigmoid(beta * x)
    return beta * (s * (1 - s)) * (2 + beta * x * (1 - 2 * s))


FORMULAS = Formulas(_swish, _swish1, _swish2)


def swish(input: Tensor, beta: float = 1.0) -> Tensor:
    """x σ(beta x): SiLU at beta 1, near GELU at 1.702, towards ReLU as beta grows. Ramachandran et al. 2017."""
    return elementwise("swish", FORMULAS, input, beta)


class Swish(torch.nn.Module):
    """`swish` as a layer, with a fixed beta; `SiLU` at beta=1."""

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        self.beta = beta

    def forward(self, input: Tensor) -> Tensor:
        return swish(input, self.beta)

    def extra_repr(self) -> str:
        return f"beta={self.beta}"
