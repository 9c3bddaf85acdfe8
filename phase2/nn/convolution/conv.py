"""Convolutional layers, drop-in for `torch.nn.Conv1d` and `Conv2d`."""

import math
from collections.abc import Callable
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Parameter

from phase2.errors import UserError
from phase2.nn.backend import checked_backend
from phase2.nn.convolution.convolve import conv1d, conv2d
from phase2.nn.convolution.geometry import Pair, as_tuple, check_groups, check_sizes, pads
from phase2.nn.weighted import Weighted

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class Conv(Weighted):
    """What Conv1d and Conv2d share: all but the number of dimensions.

    Initial values are torch's, bit for bit from the same seed: U(-k, k) with k = 1/sqrt(in_channels / groups · kernel)
    for both. backend="scratch" is this package's own product of windows, "fused" is torch's kernel: equal, and faster.
    """

    lockstep: ClassVar[bool] = False
    dims: ClassVar[int]
    backends: ClassVar[dict[str, Callable[..., Tensor]]]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | str = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        backend: str = "scratch",
    ) -> None:
        super().__init__()
        _check_channels(in_channels, out_channels, groups)
        if padding_mode not in PADDING_MODES:
            raise UserError(f"padding_mode must be one of {PADDING_MODES}, but got padding_mode={padding_mode!r}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = as_tuple("kernel_size", kernel_size, self.dims)
        self.stride = as_tuple("stride", stride, self.dims)
        self.dilation = as_tuple("dilation", dilation, self.dims)
        check_sizes(self.kernel_size, self.stride, self.dilation)
        self.padding = padding if isinstance(padding, str) else as_tuple("padding", padding, self.dims)
        self.groups = groups
        self.padding_mode = padding_mode
        self.backend = checked_backend(backend)
        self._pads = pads(self.padding, self.kernel_size, self.stride, self.dilation)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.register_parameter(
            "bias", Parameter(torch.empty(out_channels, device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draws weight and bias anew from torch's global generator."""
        fan_in = self.weight[0].numel()
        # k, rounded the way torch does: kaiming_uniform_ with a = sqrt(5).
        gain = math.sqrt(2.0 / (1 + math.sqrt(5) ** 2))
        bound = math.sqrt(3.0) * (gain / math.sqrt(fan_in))
        self.weight.uniform_(-bound, bound)
        if self.bias is not None:
            k = 1 / math.sqrt(fan_in)
            self.bias.uniform_(-k, k)

    def forward(self, x: Tensor) -> Tensor:
        convolve, zeros = self.backends[self.backend], self.padding_mode == "zeros"
        padding = self.padding if zeros else 0
        if not zeros:
            x = _extended(x, self._pads, self.padding_mode)
        return convolve(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        shown = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if self.padding != (0,) * self.dims:
            shown.append(f"padding={self.padding}")
        if self.dilation != (1,) * self.dims:
            shown.append(f"dilation={self.dilation}")
        if self.groups != 1:
            shown.append(f"groups={self.groups}")
        if self.bias is None:
            shown.append("bias=False")
        if self.padding_mode != "zeros":
            shown.append(f"padding_mode={self.padding_mode}")
        return ", ".join(shown)


class Conv1d(Conv):
    """Convolution over sequences; drop-in for `torch.nn.Conv1d`.

    Shapes: input (batch, in_channels, length) or (in_channels, length), output (batch, out_channels, length').
    Options and errors as `Conv2d`'s.
    """

    dims = 1
    backends: ClassVar = {"scratch": conv1d, "fused": F.conv1d}


class Conv2d(Conv):
    """Convolution over images; drop-in for `torch.nn.Conv2d`.

    Shapes: input (batch, in_channels, height, width) or (in_channels, height, width), output (batch, out_channels,
    height', width') as in `conv2d`. `padding` is a number or "same" or "valid"; `padding_mode` is "zeros", "reflect",
    "replicate" or "circular". Raises `UserError`, in torch's words where torch has any, for options or an input that do
    not fit.
    """

    dims = 2
    backends: ClassVar = {"scratch": conv2d, "fused": F.conv2d}


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
