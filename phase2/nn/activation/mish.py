"""Mish. Misra 2020."""

import torch
from torch import Tensor

from phase2.card import Card
from phase2.nn.activation.elementwise import check_inplace, elementwise
from phase2.nn.activation.formulas import Formulas

CARD = Card(
    "activation",
    "Mish",
    label="Mish",
    definition=r"$x \tanh(\log(1 + e^{x}))$",
    cites="misra2020",
    order=10,
)

# f = x t, t = tanh(log(1 + eˣ)) = n / (n + 2), n = w (w + 2), w = eˣ;  f' = t + x t', t' = 4 w (w + 1) / (n + 2)²;
# f'' = 2 t' + x t'', t'' = 4 w (1 + 2w - 4 w (n + 1) / (n + 2)) / (n + 2)².  Beyond 20, t is 1 to the last bit.


def _mish(x: Tensor) -> Tensor:
    w = x.clamp(max=20).exp_()
    n = (w + 2).mul_(w)
    return n.div_(n + 2).mul_(x)


def _mish1(x: Tensor) -> Tensor:
    z = x.clamp(max=20)
    w = z.exp()
    n = (w + 2).mul_(w)
    m = (n + 2).reciprocal_()
    dt = (w + 1).mul_(w).mul_(m).mul_(4).mul_(z)
    return dt.add_(n).mul_(m)


def _mish2(x: Tensor) -> Tensor:
    z = x.clamp(max=20)
    w = torch.exp(z)
    n = w * (w + 2)
    dt = 4 * w * (w + 1) / (n + 2) ** 2
    ddt = 4 * w * (1 + 2 * w - 4 * w * (n + 1) / (n + 2)) / (n + 2) ** 2
    return 2 * dt + z * ddt


FORMULAS = Formulas(_mish, _mish1, _mish2)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(softplus(x)). Misra 2019, eq. 1."""
    return elementwise("mish", FORMULAS, input, inplace=inplace)


class Mish(torch.nn.Mish):
    """`mish` as a layer; drop-in for `torch.nn.Mish`. Raises `UserError` for `inplace`."""

    def __init__(self, inplace: bool = False) -> None:
        check_inplace(inplace)
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return mish(input, self.inplace)
