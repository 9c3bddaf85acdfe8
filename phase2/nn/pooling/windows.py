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
from phase2.nn.layout import layout_of


@dataclass(frozen=True)
class Windows:
    """`count` windows of `size` entries, `dilation` apart, along dimension `dim` < 0; the next starts `stride` on.

    The first starts `padding` before the first of the tensor's `length` entries.
    """

    dim: int
    length: int
    count: int
    size: int
    stride: int
    padding: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """Entries from the start of the first window to the end of the last."""
        return (self.count - 1) * self.stride + self.dilation * (self.size - 1) + 1

    @property
    def whole(self) -> bool:
        """Whether one window holds every entry in its reach."""
        return self.count == self.dilation == 1

    def read(self, x: Tensor, value: float) -> Tensor:
        """What is in the windows' reach: of the tensor, and `value` beyond its ends."""
        return _placed(x, self.dim, self.padding, self.reach, value)

    def within(self, reached: Tensor) -> Tensor:
        """The adjoint of `read`: what of the windows' reach is in the tensor, and 0 where they do not reach."""
        return _placed(reached, self.dim, -self.padding, self.length, 0).contiguous()

    def entry(self, x: Tensor, k: int) -> Tensor:
        """The view of every window's k-th entry in their reach: `count` along `dim`."""
        start = k * self.dilation
        chosen = slice(start, start + (self.count - 1) * self.stride + 1, self.stride)
        return x[(..., chosen) + (slice(None),) * (-1 - self.dim)]

    def sizes(self, with_padding: bool) -> list[int]:
        """How many entries each window has in the tensor, or in its padding too."""
        margin = self.padding if with_padding else 0
        starts = [i * self.stride - self.padding for i in range(self.count)]
        return [min(start + self.size, self.length + margin) - max(start, -margin) for start in starts]


def _placed(x: Tensor, dim: int, start: int, size: int, value: float) -> Tensor:
    """`size` entries along `dim`: x from `start` on, cut where it does not fit, and `value` around it."""
    end = start + x.shape[dim]
    inner = x.narrow(dim, max(-start, 0), min(end, size) - max(start, 0))
    if start <= 0 and end >= size:
        return inner
    shape = [*x.shape]
    shape[dim] = size
    room = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=layout_of(x)).fill_(value)
    room.narrow(dim, max(start, 0), inner.shape[dim]).copy_(inner)
    return room


class MaxOfWindows(InLanes):
    """The maximum of every window, and which entry it is: the first of equals, as in torch the last if they are NaN.

    The gradient of a maximum belongs to that entry alone.
    """

    @staticmethod
    def forward(x: Tensor, windows: Windows) -> tuple[Tensor, Tensor]:
        x = windows.read(x, -torch.inf)
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
        return _ToEntries.apply(G, ctx.saved_tensors[0], ctx.windows), None


class OfWindows(InLanes):
    """The sum of every window's entries, or the one of its `choice`."""

    @staticmethod
    def forward(x: Tensor, choice: Tensor | None, windows: Windows) -> Tensor:
        x = windows.read(x, 0)
        if choice is None and windows.whole:
            return x.sum(windows.dim, keepdim=True)
        y = windows.entry(x, 0).clone()
        for k in range(1, windows.size):
            entry = windows.entry(x, k)
            y = y.add_(entry) if choice is None else torch.where(choice == k, entry, y)
        return y

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        _, choice, ctx.windows = inputs
        ctx.save_for_backward(choice)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor, None, None]:
        return _ToEntries.apply(G, ctx.saved_tensors[0], ctx.windows), None, None


class _ToEntries(InLanes):
    """The gradient of `OfWindows`, and the other way round: each window's G added to its entries, or to its choice."""

    @staticmethod
    def forward(G: Tensor, choice: Tensor | None, windows: Windows) -> Tensor:
        if choice is None and windows.whole:
            return windows.within(G.repeat_interleave(windows.size, windows.dim))
        shape = [*G.shape]
        shape[windows.dim] = windows.reach
        x = G.new_zeros(shape)
        for k in range(windows.size):
            windows.entry(x, k).add_(G if choice is None else G * (choice == k))
        return windows.within(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        _, choice, ctx.windows = inputs
        ctx.save_for_backward(choice)

    @staticmethod
    def backward(ctx: Any, H: Tensor) -> tuple[Tensor, None, None]:
        return OfWindows.apply(H, ctx.saved_tensors[0], ctx.windows), None, None
