"""LayerNorm: each sample standardized over its last dimensions."""

from collections.abc import Sequence

import torch
from torch import Tensor

from phase2.card import Card
from phase2.nn.normalization.group import GroupNorm
from phase2.nn.normalization.last_dimensions import OverLastDimensions

CARD = Card(
    "norm",
    "layer",
    label="LayerNorm",
    definition=r"$\gamma (x - \mu)/\sqrt{v + \epsilon} + \beta$ of an image over the units of a layer",
    cites="ba2016",
    order=3,
)


class LayerNorm(OverLastDimensions, torch.nn.LayerNorm):
    """(x - mean) / sqrt(var + eps) * weight + bias over the last dimensions; drop-in for `torch.nn.LayerNorm`.

    Shapes: input and output (*, *normalized_shape); weight and bias (*normalized_shape). Ba et al. 2016, eq. 4.
    Raises `UserError` for another shape, an input that is not of the layer's floating type, or eps <= 0.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(normalized_shape, eps, elementwise_affine, bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return self._normalize(input, centred=True)


def layer(features: int, *, images: bool = False, backend: str = "scratch") -> LayerNorm | GroupNorm:
    """LayerNorm as a network is given it: of images over channels and places together, one group.

    Wu & He 2018, section 3.1.

    >>> layer(2)(torch.tensor([[1.0, 3.0], [0.0, 9.0]])).detach()
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    return GroupNorm(1, features) if images else LayerNorm(features)
