"""ELU. Clevert et al. 2016."""

import torch
from torch import Tensor

from phase2.card import Card
from phase2.nn.activation.elementwise import check_inplace, elementwise
from phase2.nn.activation.formulas import Formulas, step
from phase2.nn.activation.leaky_relu import slopes

CARD = Card(
    "activation",
    "ELU",
    label="ELU",
    definition=r"$\max(x, 0) + \min(e^{x} - 1, 0)$",
    cites="clevert2016",
    order=4,
)

TINY = 1e-37  # makes 0 / 0 in ELU 1: less than the rounding of anything else there

# f = s x if x > 0 else s α (eˣ - 1);  f' = s if x > 0 else s α eˣ;  f'' = 0 if x >= 0 else s α eˣ.


def _elu(x: Tensor, alpha: float = 1.0, scale: float = 1.0) -> Tensor:
    z = x.clamp(-80, 0)  # below, eᶻ - 1 is -1 to the last bit
    e = z.exp()  # eᶻ - 1 = z (e - 1) / log e: e's rounding cancels (Kahan), as exact as expm1, and vectorised
    left = (e - 1).add_(TINY).div_(e.log_().add_(TINY)).mul_(z)
    return left.mul_(alpha * scale).add_(x.clamp(min=0), alpha=scale)


def _elu1(x: Tensor, alpha: float = 1.0, scale: float = 1.0) -> Tensor:
    e = x.clamp(max=0).exp_()  # 1 where x > 0: nothing overflows on the side that is not taken
    if alpha != 1:
        e.mul_(slopes(x, alpha))
    return e.mul_(scale)


def _elu2(x: Tensor, alpha: float = 1.0, scale: float = 1.0) -> Tensor:
    return scale * alpha * x.clamp(max=0).exp() * step(-x)


FORMULAS = Formulas(_elu, _elu1, _elu2)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (eˣ - 1). Clevert et al. 2016, eq. 15."""
    return elementwise("elu", FORMULAS, input, alpha, inplace=inplace)


class ELU(torch.nn.ELU):
    """`elu` as a layer; drop-in for `torch.nn.ELU`. Raises `UserError` for `inplace`."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        check_inplace(inplace)
        super().__init__(alpha)

    def forward(self, input: Tensor) -> Tensor:
        return elu(input, self.alpha, self.inplace)
