"""Max pooling: the largest entry of every window."""

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.nn.pooling.pool import Size, WindowPool
from phase2.nn.pooling.windows import MaxOfWindows


class _MaxPool(WindowPool):
    return_indices: bool

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
        super().__init__(kernel_size, stride, padding, dilation, return_indices, ceil_mode, backend=backend)

    def _options(self) -> list[tuple[int, int, int, int]]:
        if self.return_indices:
            raise UserError(f"{type(self).__name__}: return_indices=True is not supported, expected False")
        return super()._options()

    def forward(self, input: Tensor) -> Tensor:
        windows = self._windows(input)
        if self.backend == "fused":
            return super().forward(input)
        for along in windows:
            input, _ = MaxOfWindows.apply(input, along)
        return input


class MaxPool1d(_MaxPool, torch.nn.MaxPool1d):
    """The largest entry of every window; drop-in for `torch.nn.MaxPool1d` without `return_indices`.

    Shapes: input (batch, channels, length), output (batch, channels, windows), or both without the batch. The gradient
    of several equal entries is the first's; NaN is the largest of all. `backend="fused"` is torch's own kernel.
    Raises `UserError` for options out of range and for an input of another shape, smaller than a window or not
    floating point.
    """

    dims = 1


class MaxPool2d(_MaxPool, torch.nn.MaxPool2d):
    """The largest entry of every window; drop-in for `torch.nn.MaxPool2d` without `return_indices`.

    Shapes: input (batch, channels, height, width), output (batch, channels, windows down, windows across), or both
    without the batch. Ties, `backend` and errors are MaxPool1d's; the first is the first in reading order.
    """

    dims = 2
