"""What LayerNorm and RMSNorm share: statistics over the last dimensions."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from phase2.errors import UserError
from phase2.nn.normalization.normalize import Norm, autocast, normalize


class OverLastDimensions(Norm):
    """What LayerNorm and RMSNorm share: statistics over the last dimensions, and parameters of their shape."""

    normalized_shape: Any

    def __init__(self, normalized_shape: int | Sequence[int], *options: Any) -> None:
        super().__init__(self._sizes(normalized_shape), *options)
        self._check_eps()

    def _sizes(self, normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        if not shape or min(shape) < 0:
            raise UserError(
                f"{type(self).__name__}: normalized_shape={normalized_shape}, "
                "expected the sizes of one or more last dimensions of the input"
            )
        return shape

    def _normalize(self, x: Tensor, centred: bool) -> Tensor:
        shape, name = self._sizes(self.normalized_shape), type(self).__name__
        if tuple(x.shape[-len(shape) :]) != shape:
            raise UserError(
                f"{name}: input has shape {tuple(x.shape)}, "
                f"expected (*, {', '.join(map(str, shape))}) for normalized_shape={shape}"
            )
        if self.weight is not None and self.weight.shape != shape:
            raise UserError(f"{name}: weight has shape {tuple(self.weight.shape)}, expected normalized_shape={shape}")
        self._check_numbers(x, self.weight)
        x = autocast(x)
        dims = tuple(range(-len(shape), 0))
        shape = (1,) * (x.ndim - len(shape)) + shape
        return normalize(x, self.weight, self.bias, shape, dims, self.eps, centred)[0]
