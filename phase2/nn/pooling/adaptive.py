"""Adaptive average pooling: the means of a given number of windows that cover the input evenly."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from phase2.errors import UserError
from phase2.nn.linear import linear
from phase2.nn.pooling.pool import Pool, Size
from phase2.nn.pooling.windows import OfWindows, Windows


class _AdaptiveAvgPool(Pool):
    output_size: Any

    def __init__(self, output_size: Size | tuple[int | None, ...] | None, *, backend: str = "scratch") -> None:
        super().__init__(output_size, backend=backend)

    def _options(self) -> tuple[int | None, ...]:
        counts = self._each("output_size", self.output_size)
        if any(count is not None and count < 1 for count in counts):
            raise UserError(f"{type(self).__name__}: output_size={self.output_size}, expected at least 1, or None")
        return counts

    def forward(self, input: Tensor) -> Tensor:
        self._check(input)
        lengths = input.shape[-self.dims :]
        counts = [length if n is None else n for length, n in zip(lengths, self._options(), strict=True)]
        if self.backend == "fused":
            fused: Any = F.adaptive_avg_pool1d if self.dims == 1 else F.adaptive_avg_pool2d
            return fused(input, counts)
        y = input
        for dim in range(-1, -self.dims - 1, -1):
            y = _adaptive(y, dim, counts[dim])
        return y


def _adaptive(x: Tensor, dim: int, count: int) -> Tensor:
    """Means of `count` windows along `dim` of length L, from floor(i L / count) up to ceil((i + 1) L / count)."""
    length = x.shape[dim]
    if length % count == 0:
        size = length // count
        return OfWindows.apply(x, None, Windows(dim, length, count, size, size)) / size
    means = x.new_zeros(count, length)
    for i in range(count):
        window = slice(i * length // count, -(-(i + 1) * length // count))
        means[i, window] = 1 / (window.stop - window.start)
    return linear(x.movedim(dim, -1), means).movedim(-1, dim)


class AdaptiveAvgPool1d(_AdaptiveAvgPool, torch.nn.AdaptiveAvgPool1d):
    """Means of `output_size` windows that cover the input evenly; drop-in for `torch.nn.AdaptiveAvgPool1d`.

    Shapes: input (batch, channels, length), output (batch, channels, output_size), or both without the batch; None is
    the input's length. `backend` and errors are MaxPool1d's.
    """

    dims = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool, torch.nn.AdaptiveAvgPool2d):
    """Means of windows that cover the input evenly; drop-in for `torch.nn.AdaptiveAvgPool2d`.

    Shapes: input (batch, channels, height, width), output (batch, channels, *output_size), or both without the batch;
    None is the input's height or width. `backend` and errors are MaxPool1d's.
    """

    dims = 2
