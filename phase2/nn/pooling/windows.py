"""Functions of the windows of a tensor, with hand-derived gradients: their maxima and their sums.

They read one dimension; a pool of a plane applies one along its rows and then one along its columns, kh + kw steps in
place of kh · kw. Of several equal maxima the first in reading order is then the first of its row, and its row the
first.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from phase2.nn.lanes import InLanes


@dataclass(frozen=True)
class Windows:
    """`count` windows of `size` entries, `dilation` apart, along dimension `dim` < 0; the next starts `stride` on."""

    dim: int
    count: int
    size: int
    stride: int
    dilation: int = 1

    @property
    def length(self) -> int:
        """Entries from the start of the first window to the end of the last."""
        return (self.count - 1) * self.stride + self.dilation * (self.size - 1) + 1

    @property
    def whole(self) -> bool:
        """Whether one window holds every entry."""
        return self.count == self.dilation == 1

    def entry(self, x: Tensor, k: int) -> Tensor:
        """The view of every window's k-th entry: `count` along `dim`."""
        start = k * self.dilation
        chosen = slice(start, start + (self.count - 1) * self.stride + 1, self.stride)
        return x[(..., chosen) + (slice(None),) * (-1 - self.dim)]

    def shape(self, y: Tensor) -> list[int]:
        """The shape of what the windows read, for a tensor `y` of one entry a window."""
        shape = list(y.shape)
        shape[self.dim] = self.length
        return shape


class MaxOfWindows(InLanes):
    """The maximum of every window, and which entry it is: the first of equals, as in torch the last if they are NaN.

    The gradient of a maximum belongs to that entry alone.
    """

    @staticmethod
    def forward(x: Tensor, windows: Windows) -> tuple[Tensor, Tensor]:
        y = windows.entry(x, 0)
        choice = torch.zeros(y.shape, dtype=torch.int16, device=x.device)
        for k in range(1, windows.size):
            other = windows.entry(x, k)
            choice.masked_fill_((other > y) | other.isnan(), k)
            y = torch.maximum(y, other)
        return y.clone() if windows.size == 1 else y, choice

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple[Tensor, Tensor]) -> None:
        ctx.windows = inputs[1]
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(output[1])

    @staticmethod
    def backward(ctx: Any, G: Tensor, _: Tensor) -> tuple[Tensor, None]:
        return _ToChosen.apply(G, ctx.saved_tensors[0], ctx.windows), None


class _ToChosen(InLanes):
    """∂L/∂x of `MaxOfWindows`: each window's G at its chosen entry. Its own gradient is what stands at that entry."""

    @staticmethod
    def forward(G: Tensor, choice: Tensor, windows: Windows) -> Tensor:
        x = G.new_zeros(windows.shape(G))
        for k in range(windows.size):
            windows.entry(x, k).add_(G * (choice == k))
        return x

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        _, choice, ctx.windows = inputs
        ctx.save_for_backward(choice)

    @staticmethod
    def backward(ctx: Any, H: Tensor) -> tuple[Tensor, None, None]:
        (choice,), windows = ctx.saved_tensors, ctx.windows
        chosen = windows.entry(H, 0)
        for k in range(1, windows.size):
            chosen = torch.where(choice == k, windows.entry(H, k), chosen)
        return chosen, None, None


class SumOfWindows(InLanes):
    """The sum of every window. The gradient of each entry is the sum of G over the windows that it is in."""

    @staticmethod
    def forward(x: Tensor, windows: Windows) -> Tensor:
        if windows.whole:
            return x.sum(windows.dim, keepdim=True)
        y = windows.entry(x, 0).clone()
        for k in range(1, windows.size):
            y += windows.entry(x, k)
        return y

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.windows = inputs[1]

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor, None]:
        return _ToAll.apply(G, ctx.windows), None


class _ToAll(InLanes):
    """∂L/∂x of `SumOfWindows`: each window's G added to all its entries. Its own gradient is `SumOfWindows` again."""

    @staticmethod
    def forward(G: Tensor, windows: Windows) -> Tensor:
        if windows.whole:
            return G.repeat_interleave(windows.size, windows.dim)
        x = G.new_zeros(windows.shape(G))
        for k in range(windows.size):
            windows.entry(x, k).add_(G)
        return x

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.windows = inputs[1]

    @staticmethod
    def backward(ctx: Any, H: Tensor) -> tuple[Tensor, None]:
        return SumOfWindows.apply(H, ctx.windows), None
