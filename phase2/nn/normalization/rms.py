"""RMSNorm: each sample divided by its root mean square."""

from collections.abc import Sequence

import torch
from torch import Tensor

from phase2.card import Card
from phase2.errors import UserError
from phase2.nn.normalization.last_dimensions import OverLastDimensions

CARD = Card(
    "norm",
    "rms",
    label="RMSNorm",
    definition=r"$\gamma x/\sqrt{\operatorname{mean}(x^2) + \epsilon}$ over the units of a layer",
    cites="zhang2019",
    order=4,
    traits={"images": False},
)


class RMSNorm(OverLastDimensions, torch.nn.RMSNorm):
    """x / sqrt(mean(x²) + eps) * weight over the last dimensions; drop-in for `torch.nn.RMSNorm`.

    Shapes and errors are LayerNorm's; eps=None is the machine epsilon of the input's type (float32's for a half type).
    Zhang & Sennrich 2019, eq. 4.
    """

    bias = None  # it has none

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(normalized_shape, eps, elementwise_affine, device, dtype)

    def forward(self, x: Tensor) -> Tensor:  # torch's name for it
        return self._normalize(x, centred=False)


def rms(features: int, *, images: bool = False, backend: str = "scratch") -> RMSNorm:
    """RMSNorm as a network is given it; raises `UserError` for images, of which nobody has said what it is."""
    if images:
        raise UserError("rms normalizes vectors, and this network has images: choose batch, layer or group")
    return RMSNorm(features)
