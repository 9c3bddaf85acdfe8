"""SiLU. Elfwing et al. 2018."""

import torch
from torch import Tensor

from phase2.card import Card
from phase2.nn.activation.elementwise import check_inplace, elementwise
from phase2.nn.activation.swish import FORMULAS  # with beta 1

CARD = Card(
    "activation",
    "SiLU",
    label="SiLU",
    definition=r"$x\,\sigma(x)$",
    cites="elfwing2018,ramachandran2017",
    order=9,
)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x σ(x). Elfwing et al. 2018."""
    return elementwise("silu", FORMULAS, input, inplace=inplace)


class SiLU(torch.nn.SiLU):
    """`silu` as a layer; drop-in for `torch.nn.SiLU`. Raises `UserError` for `inplace`."""

    def __init__(self, inplace: bool = False) -> None:
        check_inplace(inplace)
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return silu(input, self.inplace)
