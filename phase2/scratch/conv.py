"""Two-dimensional convolution on plain arrays: windows as a view, and one matrix product."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from phase2.errors import UserError
from phase2.scratch.operations import Recorded

Sides = int | tuple[int, int]


def conv2d(x: np.ndarray, weight: np.ndarray, stride: Sides, padding: Sides) -> Recorded:
    """Cross-correlation, as every library's "convolution".

    y[b, o, i, j] = Σ_{c,k,l} weight[o, c, k, l] window[b, c, i, j, k, l], where the window at (i, j) begins at
    (i, j) * stride of the padded x. Each window's gradient is Gᵀ weight, and x adds up those of its windows.

    Shapes: x (batch, channels, height, width), weight (out, channels, kernel height, kernel width).
    """
    stride, padding = _pair("stride", stride, least=1), _pair("padding", padding, least=0)
    _check_shapes(x, weight, padding)
    padded = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    windows = sliding_window_view(padded, weight.shape[2:], axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    y = np.tensordot(windows, weight, ((1, 4, 5), (1, 2, 3)))  # (batch, out height, out width, out)

    def wrt_x(G: np.ndarray) -> np.ndarray:
        by_window = np.tensordot(G, weight, (1, 0))  # (batch, out height, out width, channels, kernel h, kernel w)
        by_window = by_window.transpose(4, 5, 0, 3, 1, 2)
        gradient = np.zeros(padded.shape, by_window.dtype)
        reach_h, reach_w = (stride[0] * (G.shape[2] - 1) + 1, stride[1] * (G.shape[3] - 1) + 1)
        for k, l in np.ndindex(weight.shape[2:]):
            gradient[:, :, k : k + reach_h : stride[0], l : l + reach_w : stride[1]] += by_window[k, l]
        return gradient[:, :, padding[0] : padding[0] + x.shape[2], padding[1] : padding[1] + x.shape[3]]

    return y.transpose(0, 3, 1, 2), (wrt_x, lambda G: np.tensordot(G, windows, ((0, 2, 3), (0, 2, 3))))


def _pair(name: str, sides: Sides, least: int) -> tuple[int, int]:
    """(vertical, horizontal)."""
    pair = (sides, sides) if isinstance(sides, int) else tuple(sides)
    if len(pair) != 2 or not all(isinstance(side, int) and side >= least for side in pair):
        raise UserError(f"conv2d: {name}={sides!r}: expected an integer or two, at least {least}")
    return pair


def _check_shapes(x: np.ndarray, weight: np.ndarray, padding: tuple[int, int]) -> None:
    if np.ndim(x) != 4 or np.ndim(weight) != 4 or x.shape[1] != weight.shape[1]:
        raise UserError(
            f"conv2d of x {np.shape(x)} with weight {np.shape(weight)}: expected x (batch, channels, height, width) "
            "and weight (out, channels, kernel height, kernel width) with equal channels"
        )
    room = tuple(size + 2 * edge for size, edge in zip(x.shape[2:], padding, strict=True))
    if any(kernel < 1 or kernel > size for kernel, size in zip(weight.shape[2:], room, strict=True)):
        raise UserError(f"conv2d: the kernel {weight.shape[2:]} does not fit the padded input {room}: pad more")
