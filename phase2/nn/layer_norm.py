"""Norms that treat each sample by itself: LayerNorm, RMSNorm and GroupNorm."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.nn.norm import Norm, normalize


def _autocast(x: Tensor) -> Tensor:
    """Raises x to float32 where torch does so: under autocast on a GPU."""
    return x.float() if x.is_cuda and x.dtype != torch.float64 and torch.is_autocast_enabled("cuda") else x


class _OverLastDimensions(Norm):
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
        x = _autocast(x)
        dims = tuple(range(-len(shape), 0))
        shape = (1,) * (x.ndim - len(shape)) + shape
        return normalize(x, self.weight, self.bias, shape, dims, self.eps, centred)[0]


class LayerNorm(_OverLastDimensions):
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
        super().__init__(normalized_shape, elementwise_affine, bias, device, dtype)
        self._check_eps(eps)
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return self._normalize(x, centred=True)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_OverLastDimensions):
    """x / sqrt(mean(x²) + eps) * weight over the last dimensions; drop-in for `torch.nn.RMSNorm`.

    Shapes and errors are LayerNorm's; eps=None is the machine epsilon of the input's type (float32's for a half type).
    Zhang & Sennrich 2019, eq. 4.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(normalized_shape, elementwise_affine, False, device, dtype)
        if eps is not None:
            self._check_eps(eps)
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return self._normalize(x, centred=False)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Norm):
    """Each sample's channels in groups, each group standardized by itself; drop-in for `torch.nn.GroupNorm`.

    Shapes: input and output (batch, num_channels, *); weight and bias (num_channels). Wu & He 2018, eq. 1 and 7.
    Raises `UserError` for another shape, groups that do not divide the channels, an input that is not of the
    layer's floating type, eps <= 0, or (as torch) a batch of one sample with one value a group.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        if num_groups < 1 or num_channels % num_groups:
            raise UserError(
                f"GroupNorm: num_groups={num_groups} does not divide num_channels={num_channels}, expected a divisor"
            )
        super().__init__((num_channels,), affine, affine and bias, device, dtype)
        self._check_eps(eps)
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        self._check(x)
        x = _autocast(x)
        space = (1,) * (x.ndim - 2)
        grouped = x.unflatten(1, (self.num_groups, -1))  # (batch, groups, channels of a group, *)
        shape = (1, *grouped.shape[1:3], *space)
        dims = tuple(range(2 - grouped.ndim, 0))
        return normalize(grouped, self.weight, self.bias, shape, dims, self.eps)[0].flatten(1, 2)

    def _check(self, x: Tensor) -> None:
        if x.ndim < 2 or x.shape[1] != self.num_channels or 0 in x.shape[2:]:
            raise UserError(
                f"GroupNorm: input x has shape {tuple(x.shape)}, expected (batch, {self.num_channels}, *) "
                "with no empty dimension after the batch"
            )
        if math.prod(x.shape) == self.num_groups:
            raise UserError(f"Expected more than 1 value per channel when training, got input size {list(x.shape)}")
        self._check_dtype(x, self.weight)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


def group_norm(num_channels: int) -> GroupNorm:
    """GroupNorm as a network is given it: the most groups up to 32 that divide the channels into two or more each.

    Wu & He 2018 take 32 groups; a group of a single channel and a single place would have no variance.
    """
    groups = max(n for n in range(1, 33) if num_channels % n == 0 and (n == 1 or num_channels // n > 1))
    return GroupNorm(groups, num_channels)
