"""Average pooling: the mean of every window."""

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.nn.pooling.pool import Size, WindowPool
from phase2.nn.pooling.windows import OfWindows


class _AvgPool(WindowPool):
    count_include_pad: bool
    divisor_override: int | None = None

    def _options(self) -> list[tuple[int, int, int, int]]:
        if self.divisor_override == 0:
            raise UserError(f"{type(self).__name__}: divisor must be not zero: divisor_override=0, expected a number")
        return super()._options()

    def forward(self, input: Tensor) -> Tensor:
        windows = self._windows(input)
        if self.backend == "fused":
            return super().forward(input)
        y = input
        for along in windows:
            y = OfWindows.apply(y, None, along)
        if self.divisor_override is not None:
            return y / self.divisor_override
        for along in windows:
            sizes = along.sizes(self.count_include_pad)
            if min(sizes) == along.size:
                y = y / along.size
            else:  # of a window in the padding behind, 0
                y = y / y.new_tensor(sizes).clamp(min=1).view(-1, *(1,) * (-1 - along.dim))
        return y

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, ceil_mode={self.ceil_mode}, count_include_pad={self.count_include_pad}"


class AvgPool1d(_AvgPool, torch.nn.AvgPool1d):
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


class AvgPool2d(_AvgPool, torch.nn.AvgPool2d):
    """The mean of every window, or its sum by `divisor_override`; drop-in for `torch.nn.AvgPool2d`.

    Shapes, `backend` and errors are MaxPool2d's.
    """

    dims = 2

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
        options = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
        super().__init__(*options, backend=backend)
