"""GELU. Hendrycks & Gimpel 2016."""

import math

import torch
from torch import Tensor

from phase2.card import Card
from phase2.errors import unknown
from phase2.nn.activation.elementwise import elementwise
from phase2.nn.activation.formulas import Formulas
from phase2.nn.activation.tanh_gelu import FORMULAS as BY_TANH
from phase2.nn.backend import checked_backend

CARD = Card(
    "activation",
    "GELU",
    label="GELU",
    definition=r"$x\,\Phi(x)$",
    cites="hendrycks2016",
    order=6,
)

# f = x Φ(x);  f' = Φ + x φ;  f'' = φ (2 - x²), with Φ and φ the normal distribution and its density.


def _gelu(x: Tensor) -> Tensor:
    return (x * math.sqrt(0.5)).erf_().add_(1).mul_(0.5).mul_(x)


def _gelu1(x: Tensor) -> Tensor:
    Phi = (x * math.sqrt(0.5)).erf_().add_(1).mul_(0.5)
    bell = (x * x).mul_(-0.5).exp_()  # √(2π) φ
    return Phi.addcmul_(x, bell, value=1 / math.sqrt(2 * math.pi))


def _gelu2(x: Tensor) -> Tensor:
    z = x.clamp(-40, 40)  # beyond, φ is 0, and 0 times an overflow would be NaN
    phi = torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return phi * (2 - z * z)


FORMULAS = Formulas(_gelu, _gelu1, _gelu2)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x), exact or (`approximate="tanh"`) by tanh. Hendrycks & Gimpel 2016, section 2."""
    formulas = {"none": FORMULAS, "tanh": BY_TANH}
    if approximate not in formulas:
        raise unknown("approximate of gelu", approximate, formulas)
    return elementwise("gelu", formulas[approximate], input)


class GELU(torch.nn.GELU):
    """`gelu` as a layer; drop-in for `torch.nn.GELU`. Raises `UserError` for an unknown `approximate` or backend.

    `backend="fused"` is torch's own kernel: equal, and on a CPU several times as fast.
    """

    def __init__(self, approximate: str = "none", *, backend: str = "scratch") -> None:
        if approximate not in ("none", "tanh"):
            raise unknown("approximate of gelu", approximate, ["none", "tanh"])
        super().__init__(approximate)
        self.backend = checked_backend(backend)

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) if self.backend == "fused" else gelu(input, self.approximate)
