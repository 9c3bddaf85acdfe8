"""BatchNorm: each channel standardized over the batch, with running statistics for evaluation."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from phase2.card import Card
from phase2.errors import UserError
from phase2.nn.backend import checked_backend
from phase2.nn.normalization.normalize import Norm, normalize, widened

CARD = Card(
    "norm",
    "batch",
    label="BatchNorm",
    definition=r"$\gamma (x - \mu)/\sqrt{v + \epsilon} + \beta$ of a unit or a channel over the batch",
    cites="ioffe2015",
    order=2,
)


class _BatchNorm(Norm):
    """What BatchNorm1d and BatchNorm2d share: all but the number of dimensions. Ioffe & Szegedy 2015, algorithm 1."""

    layouts: ClassVar[dict[int, str]]  # the shapes accepted, by number of dimensions
    num_features: Any
    momentum: Any
    track_running_stats: Any
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: bool = True,
        backend: str = "scratch",
    ) -> None:
        if num_features < 1:
            raise UserError(f"{type(self).__name__}: num_features={num_features}, expected at least 1")
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype)
        self._check_eps()
        self._check_momentum()
        if not bias:
            self.bias = None
        self.backend = checked_backend(backend)

    def forward(self, input: Tensor) -> Tensor:
        self._check(input)
        batch = self.training or self.running_mean is None  # whose statistics normalize
        if batch and input.numel() == self.num_features:
            raise UserError(f"Expected more than 1 value per channel when training, got input size {input.shape}")
        if self.backend == "fused":
            return super().forward(input)
        shape = (1, self.num_features, *[1] * (input.ndim - 2))
        if not batch:
            return self._evaluate(input, shape)
        dims = (-input.ndim, *range(2 - input.ndim, 0))  # all but the channels
        y, mean, var = normalize(input, self.weight, self.bias, shape, dims, self.eps)
        if self.training and self.track_running_stats and self.running_mean is not None:
            self._track(mean.detach().flatten(), var.detach().flatten(), input.numel() // self.num_features)
        return y

    def _check(self, x: Tensor) -> None:
        if x.ndim not in self.layouts or x.shape[1] != self.num_features:
            expected = " or ".join(layout.format(self.num_features) for layout in self.layouts.values())
            raise UserError(f"{type(self).__name__}: input has shape {tuple(x.shape)}, expected {expected}")
        self._check_numbers(x, self.running_mean if self.weight is None else self.weight)
        self._check_momentum()

    def _check_momentum(self) -> None:
        if self.momentum is not None and not 0 <= self.momentum <= 1:
            raise UserError(
                f"{type(self).__name__}: momentum={self.momentum}, expected a number in [0, 1], a batch's share in the "
                "running statistics, or None for their plain average"
            )

    def _evaluate(self, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        """With the running statistics, which are constants here: an affine map of each channel."""
        scale = (widened(self.running_var) + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * widened(self.weight)
        y = (widened(x) - widened(self.running_mean).view(shape)) * scale.view(shape)
        if self.bias is not None:
            y = y + widened(self.bias).view(shape)
        return y.to(x.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, var: Tensor, m: int) -> None:
        """Moves the running statistics towards a batch's, of m values a channel; the variance kept is the unbiased."""
        self.num_batches_tracked.add_(1)
        if m == 0:
            return
        share = self.num_batches_tracked.to(mean.dtype).reciprocal() if self.momentum is None else self.momentum
        for running, new in ((self.running_mean, mean), (self.running_var, var * (m / (m - 1)))):
            running.copy_(running * (1 - share) + new * share)


class BatchNorm1d(_BatchNorm, torch.nn.BatchNorm1d):
    """(x - mean) / sqrt(var + eps) * weight + bias, by channel over the batch; drop-in for `torch.nn.BatchNorm1d`.

    Shapes: input and output (batch, num_features) or (batch, num_features, length). Training normalizes with the
    batch's statistics and moves the running ones towards them, in place; evaluation uses the running ones. Under
    `torch.func.vmap` over stacked buffers each lane moves its own. Raises `UserError` for another shape, an input that
    is not of the layer's floating type, a single value a channel in training, eps <= 0, or momentum outside [0, 1].
    `backend="fused"` is torch's own kernel: equal, and faster.
    """

    layouts: ClassVar = {2: "(batch, {})", 3: "(batch, {}, length)"}


class BatchNorm2d(_BatchNorm, torch.nn.BatchNorm2d):
    """`BatchNorm1d` for images (batch, num_features, height, width); drop-in for `torch.nn.BatchNorm2d`."""

    layouts: ClassVar = {4: "(batch, {}, height, width)"}


def batch(features: int, *, images: bool = False, backend: str = "scratch") -> BatchNorm1d | BatchNorm2d:
    """BatchNorm as a network is given it."""
    return (BatchNorm2d if images else BatchNorm1d)(features, backend=backend)
