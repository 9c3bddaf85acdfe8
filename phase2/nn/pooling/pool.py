"""Pooling: the maximum, the average and the adaptive average of the windows of a sequence or a plane."""

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module

from phase2.errors import UserError
from phase2.nn.backend import checked_backend
from phase2.nn.linear import linear
from phase2.nn.pooling.windows import MaxOfWindows, SumOfWindows, Windows

Size = int | tuple[int, ...] | list[int]


class _Pool(Module):
    """What all pools share: how many dimensions they pool, and whether by the code here or by torch's kernels."""

    dims: ClassVar[int]

    def __init__(self, backend: str) -> None:
        super().__init__()
        self.backend = checked_backend(backend)

    def _check(self, x: Tensor) -> None:
        name, space = type(self).__name__, ("height, width" if self.dims == 2 else "length")
        if x.ndim not in (self.dims + 1, self.dims + 2) or 0 in x.shape[-self.dims - 1 :]:
            raise UserError(
                f"{name}: input x has shape {tuple(x.shape)}, expected (batch, channels, {space}) or "
                f"(channels, {space}), none of them empty but the batch"
            )
        if not x.is_floating_point():
            raise UserError(f"{name}: input x is {x.dtype}, expected floating point: use x.float()")

    def _each(self, name: str, value: Any) -> tuple[Any, ...]:
        """An option's value for every pooled dimension, first to last."""
        values = tuple(value) if isinstance(value, tuple | list) else (value,)
        if len(values) not in (1, self.dims):
            raise UserError(f"{type(self).__name__}: {name}={value}, expected an integer or {self.dims} integers")
        return values * (self.dims // len(values))


class _WindowPool(_Pool):
    """A pool over windows of one size."""

    def __init__(
        self, kernel_size: Size, stride: Size | None, padding: Size, dilation: Size, ceil_mode: bool, backend: str
    ) -> None:
        super().__init__(backend)
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.ceil_mode = ceil_mode
        names = ("kernel_size", "stride", "padding", "dilation")
        each = zip(*(self._each(name, getattr(self, name)) for name in names), strict=True)
        self._options = list(each)[::-1]  # the last dimension first, as the windows are
        self._check_options()

    def _check_options(self) -> None:
        name = type(self).__name__
        for size, stride, padding, dilation in self._options:
            if stride < 1:
                raise UserError(f"{name}: stride should not be zero: got stride={self.stride}, expected at least 1")
            if size < 1 or dilation < 1:
                raise UserError(f"{name}: kernel_size={size} and dilation={dilation}, expected at least 1")
            if padding < 0:
                raise UserError(f"{name}: pad must be non-negative, but got pad: {padding}")
            if padding > (dilation * (size - 1) + 1) // 2:
                raise UserError(
                    f"{name}: pad should be at most half of effective kernel size, but got pad={padding}, "
                    f"kernel_size={size} and dilation={dilation}"
                )

    def _windows(self, x: Tensor) -> list[Windows]:
        """The windows along each pooled dimension of the padded input."""
        self._check(x)
        windows = [
            Windows(-1 - place, self._count(x.shape[-1 - place], *options), options[0], options[1], options[3])
            for place, options in enumerate(self._options)
        ]
        if min(along.count for along in windows) < 1:
            raise UserError(
                f"{type(self).__name__}: input x has shape {tuple(x.shape)}, and with padding={self.padding} is "
                f"smaller than a window of kernel_size={self.kernel_size} and dilation={self.dilation}: "
                "Output size is too small"
            )
        return windows

    def _count(self, length: int, size: int, stride: int, padding: int, dilation: int) -> int:
        """How many windows fit; with `ceil_mode` the last may reach over the padding behind, but not start there."""
        room = length + 2 * padding - dilation * (size - 1) - 1
        if not self.ceil_mode:
            return room // stride + 1
        count = -(-room // stride) + 1
        return count - ((count - 1) * stride >= length + padding)

    def _padded(self, x: Tensor, windows: list[Windows], value: float) -> Tensor:
        """`x` between as much of `value` as the windows read, and without what they do not."""
        sides: list[int] = []
        for along, (_, _, padding, _) in zip(windows, self._options, strict=True):
            sides += padding, along.length - padding - x.shape[along.dim]
        return F.pad(x, sides, value=value) if any(sides) else x


class _MaxPool(_WindowPool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
        *,
        backend: str = "scratch",
    ) -> None:
        if return_indices:
            raise UserError(f"{type(self).__name__}: return_indices=True is not supported, expected False")
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode, backend)

    def forward(self, x: Tensor) -> Tensor:
        windows = self._windows(x)
        if self.backend == "fused":
            pool = F.max_pool1d if self.dims == 1 else F.max_pool2d
            return pool(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
        x = self._padded(x, windows, -torch.inf)
        for along in windows:
            x, _ = MaxOfWindows.apply(x, along)
        return x

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest entry of every window; drop-in for `torch.nn.MaxPool1d` without `return_indices`.

    Shapes: input (batch, channels, length), output (batch, channels, windows), or both without the batch. The gradient
    of several equal entries is the first's; NaN is the largest of all. `backend="fused"` is torch's own kernel.
    Raises `UserError` for options out of range and for an input of another shape, smaller than a window or not
    floating point.
    """

    dims = 1


class MaxPool2d(_MaxPool):
    """The largest entry of every window; drop-in for `torch.nn.MaxPool2d` without `return_indices`.

    Shapes: input (batch, channels, height, width), output (batch, channels, windows down, windows across), or both
    without the batch. Ties, `backend` and errors are MaxPool1d's; the first is the first in reading order.
    """

    dims = 2


class _AvgPool(_WindowPool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
        *,
        backend: str = "scratch",
    ) -> None:
        super().__init__(kernel_size, stride, padding, 1, ceil_mode, backend)
        if divisor_override == 0:
            raise UserError(f"{type(self).__name__}: divisor must be not zero: divisor_override=0, expected a number")
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, x: Tensor) -> Tensor:
        windows = self._windows(x)
        if self.backend == "fused":
            options = (self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
            return F.avg_pool1d(x, *options) if self.dims == 1 else F.avg_pool2d(x, *options, self.divisor_override)
        sums = self._padded(x, windows, 0)
        for along in windows:
            sums = SumOfWindows.apply(sums, along)
        if self.divisor_override is not None:
            return sums / self.divisor_override
        for along, (_, _, padding, _) in zip(windows, self._options, strict=True):
            sums = sums / self._sizes(along, padding, x.shape[along.dim], sums)
        return sums

    def _sizes(self, windows: Windows, padding: int, length: int, like: Tensor) -> Tensor | int:
        """By how many entries each window's sum is divided: those in the padded input, or those in the input."""
        margin = padding if self.count_include_pad else 0
        starts = [i * windows.stride - padding for i in range(windows.count)]
        sizes = [min(start + windows.size, length + margin) - max(start, -margin) for start in starts]
        if min(sizes) == windows.size:
            return windows.size
        column = like.new_tensor(sizes).clamp(min=1)  # of a window in the padding behind, 0
        return column.view(-1, *(1,) * (-1 - windows.dim))

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"ceil_mode={self.ceil_mode}, count_include_pad={self.count_include_pad}"
        )


class AvgPool1d(_AvgPool):
    """The mean of every window; drop-in for `torch.nn.AvgPool1d`. Shapes, `backend` and errors are MaxPool1d's."""

    dims = 1

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        *,
        backend: str = "scratch",
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad, backend=backend)


class AvgPool2d(_AvgPool):
    """The mean of every window, or its sum by `divisor_override`; drop-in for `torch.nn.AvgPool2d`.

    Shapes, `backend` and errors are MaxPool2d's.
    """

    dims = 2


class _AdaptiveAvgPool(_Pool):
    def __init__(self, output_size: Size | tuple[int | None, ...] | None, *, backend: str = "scratch") -> None:
        super().__init__(backend)
        self.output_size = output_size
        for size in self._each("output_size", output_size):
            if size is not None and size < 1:
                raise UserError(f"{type(self).__name__}: output_size={output_size}, expected at least 1, or None")

    def forward(self, x: Tensor) -> Tensor:
        self._check(x)
        sizes = self._each("output_size", self.output_size)
        counts = [length if size is None else size for length, size in zip(x.shape[-self.dims :], sizes, strict=True)]
        if self.backend == "fused":
            return (
                F.adaptive_avg_pool1d(x, counts[0])
                if self.dims == 1
                else F.adaptive_avg_pool2d(x, (counts[0], counts[1]))
            )
        for dim in range(-1, -self.dims - 1, -1):
            x = _adaptive(x, dim, counts[dim])
        return x

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


def _adaptive(x: Tensor, dim: int, count: int) -> Tensor:
    """Means of `count` windows along `dim` of length L, from floor(i L / count) up to ceil((i + 1) L / count)."""
    length = x.shape[dim]
    if length % count == 0:
        size = length // count
        return SumOfWindows.apply(x, Windows(dim, count, size, size)) / size
    means = x.new_zeros(count, length)
    for i in range(count):
        window = slice(i * length // count, -(-(i + 1) * length // count))
        means[i, window] = 1 / (window.stop - window.start)
    return linear(x.movedim(dim, -1), means).movedim(-1, dim)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Means of `output_size` windows that cover the input evenly; drop-in for `torch.nn.AdaptiveAvgPool1d`.

    Shapes: input (batch, channels, length), output (batch, channels, output_size), or both without the batch; None is
    the input's length. `backend` and errors are MaxPool1d's.
    """

    dims = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Means of windows that cover the input evenly; drop-in for `torch.nn.AdaptiveAvgPool2d`.

    Shapes: input (batch, channels, height, width), output (batch, channels, *output_size), or both without the batch;
    None is the input's height or width. `backend` and errors are MaxPool1d's.
    """

    dims = 2
