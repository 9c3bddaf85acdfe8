"""A convolution whose weights are not shared: every place of the output has a kernel of its own."""

import math
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.func import vmap
from torch.nn import Parameter

from phase2.errors import UserError
from phase2.nn.convolution.geometry import Geometry, Pair, as_tuple, geometry_of
from phase2.nn.convolution.windows import add_up, windows_of
from phase2.nn.function import Function
from phase2.nn.lanes import merged, separate
from phase2.nn.linear import linear
from phase2.nn.weighted import Weighted


class _Unfold(Function):
    """Every place's window as a row: x (batch, in, height, width) to (places, batch, in · kh · kw)."""

    @staticmethod
    def forward(x: Tensor, geometry: Geometry) -> Tensor:
        return windows_of(x, geometry)[0].permute(1, 2, 0, 5, 3, 4).flatten(3).flatten(0, 1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.geometry = inputs[1]

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor, None]:
        return _Fold.apply(G, ctx.geometry), None

    @staticmethod
    def vmap(info: Any, in_dims: tuple, x: Tensor, geometry: Geometry) -> tuple[Tensor, int]:
        lanes = info.batch_size
        return separate(lanes, _Unfold.apply(merged(lanes, in_dims[0], x), geometry), 1)  # as further images


class _Fold(Function):
    """∂L/∂x of `_Unfold`: each row of G added where it was read. Its own gradient is `_Unfold` again."""

    @staticmethod
    def forward(G: Tensor, geometry: Geometry) -> Tensor:
        windows = G.unflatten(2, (-1, *geometry.kernel)).unflatten(0, geometry.output).permute(2, 0, 1, 4, 5, 3)
        x = G.new_empty(len(windows), windows.shape[-1], *geometry.size)
        add_up(windows.unsqueeze(0), x, geometry, torch.contiguous_format)
        return x

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.geometry = inputs[1]

    @staticmethod
    def backward(ctx: Any, H: Tensor) -> tuple[Tensor, None]:
        return _Unfold.apply(H, ctx.geometry), None

    @staticmethod
    def vmap(info: Any, in_dims: tuple, G: Tensor, geometry: Geometry) -> tuple[Tensor, int]:
        lanes = info.batch_size
        return separate(lanes, _Fold.apply(merged(lanes, in_dims[0], G, 1), geometry))


class LocallyConnected2d(Weighted):
    """A convolution over images of `input_size` (height, width) with a kernel and a bias for every place.

    Shapes: input (batch, in_channels, height, width), output (batch, out_channels, height', width') as `Conv2d`'s;
    with places = height' · width', weight (places · out_channels, in_channels, kh, kw) and bias
    (places · out_channels), place by place in reading order. So an initialization sees the true fan in, in_channels
    kh kw; the fan out, which counts all places, and orthogonal rows are not a single place's. Initial values are
    U(-k, k) with k = 1/sqrt(fan in) for both, as `Conv2d`'s. LeCun 1989 ("Generalization and network design
    strategies"), Net-3. Raises `UserError` for options or an input that do not fit.
    """

    lockstep: ClassVar[bool] = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        input_size: int | Pair,
        kernel_size: int | Pair,
        stride: int | Pair = 1,
        padding: int | Pair = 0,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels < 1:
                raise UserError(f"LocallyConnected2d: {name}={channels}, expected at least 1")
        self.in_channels = in_channels
        self.out_channels = out_channels
        size, kernel = as_tuple("input_size", input_size, 2), as_tuple("kernel_size", kernel_size, 2)
        self.geometry = geometry_of(size, kernel, stride, padding, dilation=1, groups=1)
        rows = math.prod(self.geometry.output) * out_channels
        shape = (rows, in_channels, *self.geometry.kernel)
        self.weight = Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(torch.empty(rows, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draws weight and bias anew from torch's global generator."""
        k = 1 / math.sqrt(self.weight[0].numel())
        for parameter in self.parameters():
            parameter.uniform_(-k, k)

    def forward(self, input: Tensor) -> Tensor:
        geometry = self.geometry
        if input.ndim != 4 or input.shape[1:] != (self.in_channels, *geometry.size):
            raise UserError(
                f"LocallyConnected2d: input has shape {tuple(input.shape)}, "
                f"expected (batch, {self.in_channels}, {geometry.size[0]}, {geometry.size[1]})"
            )
        rows = _Unfold.apply(input, geometry)
        of_places = [
            t.unflatten(0, (-1, self.out_channels)) for t in (self.weight.flatten(1), self.bias) if t is not None
        ]
        y = vmap(linear)(rows, *of_places)  # of weights (places, out, in · kh · kw)
        return y.permute(1, 2, 0).unflatten(2, geometry.output)  # from (places, batch, out)

    def extra_repr(self) -> str:
        size, kernel, stride, ((top, _), (left, _)) = self.geometry[:4]
        return (
            f"{self.in_channels}, {self.out_channels}, input_size={size}, kernel_size={kernel}, stride={stride}, "
            f"padding={top, left}, bias={self.bias is not None}"
        )
