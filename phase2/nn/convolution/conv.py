"""Convolutional layers, drop-in for `torch.nn.Conv1d` and `Conv2d`."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from phase2.errors import UserError
from phase2.nn.backend import checked_backend
from phase2.nn.convolution.convolve import conv1d, conv2d
from phase2.nn.convolution.geometry import Pair, Size, by_dimension, check_groups
from phase2.nn.weighted import Weighted

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class Conv(Weighted):
    """What Conv1d and Conv2d share: all but the number of dimensions.

    backend="scratch" is this package's own product of windows, "fused" is torch's kernel: equal, and faster.
    """

    lockstep: ClassVar[bool] = False
    dims: ClassVar[int]
    convolve: ClassVar[dict[str, Callable[..., Tensor]]]  # by backend
    stride: Any
    padding: Any
    dilation: Any
    padding_mode: Any

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        backend: str = "scratch",
    ) -> None:
        _check_channels(in_channels, out_channels, groups)
        _check_mode(padding_mode)
        kernel_size, stride, edges, dilation = by_dimension(self.dims, kernel_size, stride, padding, dilation)
        padding = padding if isinstance(padding, str) else tuple(before for before, _ in edges)
        sizes = (in_channels, out_channels, kernel_size, stride, padding, dilation, groups)
        super().__init__(*sizes, bias, padding_mode, device, dtype)
        self.backend = checked_backend(backend)

    def forward(self, input: Tensor) -> Tensor:
        _check_mode(self.padding_mode)
        convolve, padding = self.convolve[checked_backend(self.backend)], self.padding
        if self.padding_mode != "zeros":
            edges = by_dimension(self.dims, self.weight.shape[2:], self.stride, padding, self.dilation)[2]
            input, padding = _extended(input, edges, self.padding_mode), 0
        return convolve(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(Conv, torch.nn.Conv1d):
    """Convolution over sequences; drop-in for `torch.nn.Conv1d`.

    Shapes: input (batch, in_channels, length) or (in_channels, length), output (batch, out_channels, length').
    Options and errors as `Conv2d`'s.
    """

    dims = 1
    convolve: ClassVar = {"scratch": conv1d, "fused": F.conv1d}


class Conv2d(Conv, torch.nn.Conv2d):
    """Convolution over images; drop-in for `torch.nn.Conv2d`.

    Shapes: input (batch, in_channels, height, width) or (in_channels, height, width), output (batch, out_channels,
    height', width') as in `conv2d`. `padding` is a number or "same" or "valid"; `padding_mode` is "zeros", "reflect",
    "replicate" or "circular". Raises `UserError`, in torch's words where torch has any, for options or an input that do
    not fit.
    """

    dims = 2
    convolve: ClassVar = {"scratch": conv2d, "fused": F.conv2d}


def _check_mode(padding_mode: str) -> None:
    if padding_mode not in PADDING_MODES:
        raise UserError(f"padding_mode must be one of {PADDING_MODES}, but got padding_mode={padding_mode!r}")


def _check_channels(in_channels: int, out_channels: int, groups: int) -> None:
    check_groups(groups)
    for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if channels < 1:
            raise UserError(f"{name}={channels}, expected at least 1")
        if channels % groups:
            raise UserError(f"{name} must be divisible by groups, but got {name}={channels} and groups={groups}")


def _extended(x: Tensor, widths: tuple[Pair, ...], mode: str) -> Tensor:
    """x with its last dimensions continued at both ends: mirrored, repeated at the edge, or periodic."""
    for dim, (before, after) in enumerate(widths, start=-len(widths)):
        if before or after:
            x = x.index_select(dim, _sources(x.shape[dim], before, after, mode).to(x.device))
    return x


def _sources(size: int, before: int, after: int, mode: str) -> Tensor:
    """For each place of the padded dimension the place in the input that it copies."""
    places = torch.arange(-before, size + after)
    if mode == "replicate":
        return places.clamp(0, size - 1)
    if mode == "circular":
        if max(before, after) > size:
            raise UserError(
                f"Padding value causes wrapping around more than once: padding {before, after}, size {size}"
            )
        return places % size
    if max(before, after) >= size:
        raise UserError(
            "Padding size should be less than the corresponding input dimension, "
            f"but got: padding {before, after}, size {size}"
        )
    return (size - 1) - ((size - 1) - places.abs()).abs()
