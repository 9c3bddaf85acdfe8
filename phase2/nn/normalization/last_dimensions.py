"""What LayerNorm and RMSNorm share: statistics over the last dimensions."""

from collections.abc import Sequence

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.nn.normalization.normalize import Norm, autocast, normalize


class OverLastDimensions(Norm):
    """What LayerNorm and RMSNorm share: statistics over the last dimensions, and parameters of their shape."""

    eps: float | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        affine: bool,
        bias: bool,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> None:
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        if not shape or min(shape) < 0:
            raise UserError(
                f"{type(self).__name__}: normalized_shape={normalized_shape}, "
                "expected the sizes of one or more last dimensions of the input"
            )
        super().__init__(shape, affine, affine and bias, device, dtype)
        self.normalized_shape = shape
        self.elementwise_affine = affine
        self.reset_parameters()

    def _normalize(self, x: Tensor, centred: bool) -> Tensor:
        shape = self.normalized_shape
        if tuple(x.shape[-len(shape) :]) != shape:
            raise UserError(
                f"{type(self).__name__}: input x has shape {tuple(x.shape)}, "
                f"expected (*, {', '.join(map(str, shape))}) for normalized_shape={shape}"
            )
        self._check_dtype(x, self.weight)
        x = autocast(x)
        dims = tuple(range(-len(shape), 0))
        shape = (1,) * (x.ndim - len(shape)) + shape
        return normalize(x, self.weight, self.bias, shape, dims, self.eps, centred)[0]
