"""What pools share: the checks of their input, and windows by their options, which are read when they are used."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import Module

from phase2.errors import UserError
from phase2.nn.backend import checked_backend
from phase2.nn.pooling.windows import Windows

Size = int | tuple[int, ...] | list[int]


class Pool(Module, ABC):
    """What all pools share: how many dimensions they pool, and whether by the code here or by torch's kernels."""

    dims: ClassVar[int]

    def __init__(self, *options: Any, backend: str) -> None:
        super().__init__(*options)
        self.backend = checked_backend(backend)
        self._options()

    @abstractmethod
    def _options(self) -> Any:
        """The options as they are now, by dimension; raises `UserError` for those out of range."""

    def _check(self, input: Tensor) -> None:
        name, space = type(self).__name__, ("height, width" if self.dims == 2 else "length")
        if input.ndim not in (self.dims + 1, self.dims + 2) or 0 in input.shape[-self.dims - 1 :]:
            raise UserError(
                f"{name}: input has shape {tuple(input.shape)}, expected (batch, channels, {space}) or "
                f"(channels, {space}), none of them empty but the batch"
            )
        if not input.is_floating_point():
            raise UserError(f"{name}: input is {input.dtype}, expected floating point: use input.float()")

    def _each(self, name: str, value: Any) -> tuple[Any, ...]:
        """An option's value for every pooled dimension, first to last."""
        values = tuple(value) if isinstance(value, tuple | list) else (value,)
        if len(values) not in (1, self.dims):
            raise UserError(f"{type(self).__name__}: {name}={value}, expected an integer or {self.dims} integers")
        return values * (self.dims // len(values))


class WindowPool(Pool):
    """A pool over windows of one size."""

    kernel_size: Any
    stride: Any
    padding: Any
    dilation: Any = 1
    ceil_mode: Any

    def _options(self) -> list[tuple[int, int, int, int]]:
        """Size, stride, padding and dilation along each pooled dimension, the last first, as windows are read."""
        name, stride = type(self).__name__, self.kernel_size if self.stride is None else self.stride
        named = {"kernel_size": self.kernel_size, "stride": stride, "padding": self.padding, "dilation": self.dilation}
        options = list(zip(*(self._each(*option) for option in named.items()), strict=True))
        for size, step, padding, dilation in options:
            if step < 1:
                raise UserError(f"{name}: stride should not be zero: got stride={stride}, expected at least 1")
            if size < 1 or dilation < 1:
                raise UserError(f"{name}: kernel_size={size} and dilation={dilation}, expected at least 1")
            if padding < 0:
                raise UserError(f"{name}: pad must be non-negative, but got pad: {padding}")
            if padding > (dilation * (size - 1) + 1) // 2:
                raise UserError(
                    f"{name}: pad should be at most half of effective kernel size, but got pad={padding}, "
                    f"kernel_size={size} and dilation={dilation}"
                )
        return options[::-1]

    def _windows(self, input: Tensor) -> list[Windows]:
        """The windows along each pooled dimension."""
        self._check(input)
        windows = []
        for dim, (size, stride, padding, dilation) in zip(range(-1, -self.dims - 1, -1), self._options(), strict=True):
            length = input.shape[dim]
            count = self._count(length, size, stride, padding, dilation)
            windows.append(Windows(dim, length, count, size, stride, padding, dilation))
        if min(along.count for along in windows) < 1:
            raise UserError(
                f"{type(self).__name__}: input has shape {tuple(input.shape)}, and with padding={self.padding} is "
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
