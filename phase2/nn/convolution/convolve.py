"""Convolution as windows and a matrix product, with hand-derived gradients, for one network or a stack of lanes."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from phase2.nn.convolution.geometry import Geometry, Pair, Size, check_tensors, geometry_of
from phase2.nn.convolution.windows import by_group, fold, matrix_of, rows_of, unfold, wide
from phase2.nn.function import Function
from phase2.nn.lanes import merged, separate
from phase2.nn.layout import layout_of

_UNFOLDED = 2**19  # numbers of the unfolded input that exist at once, a thread: 2 MiB of float32


class _Convolve(Function):
    """y = x ⋆ W + b: y[n, o, i, j] = Σ_ckl W[o, c, k, l] x̄[n, c, s i + d k, s j + d l] + b[o], x̄ the padded x.

    ⟨G, x ⋆ W⟩ is linear in each of x (batch, in, H, W), W (out, in / groups, kh, kw) and G (batch, out, H', W').
    Its partial derivatives are the three maps of this module, so each one's gradients are the other two.
    """

    @staticmethod
    def forward(x: Tensor, W: Tensor, b: Tensor | None, geometry: Geometry) -> Tensor:
        y = _result((x, W), W.shape[0], geometry.output)
        matrix, bias = matrix_of(W, geometry), None if b is None else b.view(geometry.groups, 1, -1)
        for part in _parts(x, W.shape[0], geometry):
            rows = _product(unfold(x[part], geometry), matrix, bias)
            place = by_group(y[part], geometry)
            place.copy_(rows.unflatten(1, place.shape[1:4]))
        return y

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        x, W, _, ctx.geometry = inputs
        ctx.save_for_backward(x, W)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor | None, ...]:
        x, W = ctx.saved_tensors
        need_x, need_W, need_b = ctx.needs_input_grad[:3]
        return (
            _InputGradient.apply(G, W, ctx.geometry) if need_x else None,
            _WeightGradient.apply(x, G, ctx.geometry) if need_W else None,
            G.sum((0, 2, 3)) if need_b else None,
            None,
        )

    @staticmethod
    def vmap(info: Any, in_dims: tuple, x: Tensor, W: Tensor, b: Tensor | None, geometry: Geometry) -> tuple:
        lanes, (x_dim, W_dim, b_dim) = info.batch_size, in_dims[:3]
        if W_dim is None and b_dim is None:
            return separate(lanes, _Convolve.apply(merged(lanes, x_dim, x), W, b, geometry))
        if b is not None:
            b = merged(lanes, b_dim, b)
        y = _Convolve.apply(merged(lanes, x_dim, x, 1), merged(lanes, W_dim, W), b, _more(geometry, lanes))
        return separate(lanes, y, 1)


class _InputGradient(Function):
    """∂⟨G, x ⋆ W⟩/∂x: each window's gradient is G W, and x adds up those of its windows."""

    @staticmethod
    def forward(G: Tensor, W: Tensor, geometry: Geometry) -> Tensor:
        dx = _result((G, W), W.shape[1] * geometry.groups, geometry.size)
        matrix = matrix_of(W, geometry).mT
        for part in _parts(dx, W.shape[0], geometry):
            fold(_product(rows_of(G[part], geometry, W.shape[1]), matrix), dx[part], geometry)
        return dx

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        G, W, ctx.geometry = inputs
        ctx.save_for_backward(G, W)

    @staticmethod
    def backward(ctx: Any, D: Tensor) -> tuple[Tensor | None, ...]:
        G, W = ctx.saved_tensors
        return (
            _Convolve.apply(D, W, None, ctx.geometry) if ctx.needs_input_grad[0] else None,
            _WeightGradient.apply(D, G, ctx.geometry) if ctx.needs_input_grad[1] else None,
            None,
        )

    @staticmethod
    def vmap(info: Any, in_dims: tuple, G: Tensor, W: Tensor, geometry: Geometry) -> tuple[Tensor, int]:
        lanes, (G_dim, W_dim) = info.batch_size, in_dims[:2]
        if W_dim is None:
            return separate(lanes, _InputGradient.apply(merged(lanes, G_dim, G), W, geometry))
        G, W = merged(lanes, G_dim, G, 1), merged(lanes, W_dim, W)
        return separate(lanes, _InputGradient.apply(G, W, _more(geometry, lanes)), 1)


class _WeightGradient(Function):
    """∂⟨G, x ⋆ W⟩/∂W: the sum over all windows of the window times its G."""

    @staticmethod
    def forward(x: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
        (kh, kw), g, channels = geometry.kernel, geometry.groups, x.shape[1] // geometry.groups
        dW = x.new_zeros((g, G.shape[1] // g, kh * kw * channels), dtype=wide(x.dtype))
        for part in _parts(x, G.shape[1], geometry):
            _accumulate(dW, rows_of(G[part], geometry, channels).mT, unfold(x[part], geometry))
        dW = dW.to(x.dtype).view(-1, kh, kw, channels).permute(0, 3, 1, 2)
        return dW.contiguous(memory_format=layout_of(x, G))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        x, G, ctx.geometry = inputs
        ctx.save_for_backward(x, G)

    @staticmethod
    def backward(ctx: Any, D: Tensor) -> tuple[Tensor | None, ...]:
        x, G = ctx.saved_tensors
        return (
            _InputGradient.apply(G, D, ctx.geometry) if ctx.needs_input_grad[0] else None,
            _Convolve.apply(x, D, None, ctx.geometry) if ctx.needs_input_grad[1] else None,
            None,
        )

    @staticmethod
    def vmap(info: Any, in_dims: tuple, x: Tensor, G: Tensor, geometry: Geometry) -> tuple[Tensor, int]:
        lanes, (x_dim, G_dim) = info.batch_size, in_dims[:2]
        x, G = merged(lanes, x_dim, x, 1), merged(lanes, G_dim, G, 1)
        return separate(lanes, _WeightGradient.apply(x, G, _more(geometry, lanes)))


def _more(geometry: Geometry, lanes: int) -> Geometry:
    return geometry._replace(groups=geometry.groups * lanes)


def _result(like: tuple[Tensor, Tensor], channels: int, size: Pair) -> Tensor:
    """Room for a result (batch, channels, height, width)."""
    first = like[0]
    shape = (first.shape[0], channels, *size)
    return torch.empty(shape, dtype=first.dtype, device=first.device, memory_format=layout_of(*like))


def _parts(x: Tensor, out: int, geometry: Geometry) -> Iterator[slice]:
    """The batch in parts whose unfolded input stays in the cache, but is twice the weight at least; on a GPU, whole."""
    pixels = math.prod(geometry.output)
    unfolded = x.shape[1] * math.prod(geometry.kernel) * pixels  # of one image
    fitting = torch.get_num_threads() * _UNFOLDED // unfolded if x.is_cpu else x.shape[0]
    images = max(1, fitting, 2 * out // geometry.groups // pixels)
    return (slice(first, first + images) for first in range(0, x.shape[0], images))


def _product(rows: Tensor, matrix: Tensor, bias: Tensor | None = None) -> Tensor:
    """rows @ matrix + bias by group, which lies in memory as rows does."""
    transposed = not rows.is_contiguous()
    left, right = (matrix.mT, rows.mT) if transposed else (rows, matrix)
    bias = bias.mT if transposed and bias is not None else bias
    y = torch.bmm(left, right) if bias is None else torch.baddbmm(bias, left, right)
    return y.mT if transposed else y


def _accumulate(total: Tensor, left: Tensor, right: Tensor) -> None:
    """total += left @ right."""
    if total.dtype == left.dtype:
        total.baddbmm_(left, right)
    else:
        total += torch.bmm(left, right)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of images (batch, in, height, width) or (in, height, width) by (out, in / groups, kh, kw).

    Returns (batch, out, height', width'), with height' = ⌊(height + 2 padding - dilation (kh - 1) - 1) / stride⌋ + 1.
    Raises `UserError` in torch's words where shapes, types or options do not fit.
    """
    return _convolve(2, input, weight, bias, stride, padding, dilation, groups)


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """`conv2d` for sequences: input (batch, in, length) or (in, length), weight (out, in / groups, kernel)."""
    return _convolve(1, input, weight, bias, stride, padding, dilation, groups)


def _convolve(
    dims: int, x: Tensor, weight: Tensor, bias: Tensor | None, stride: Size, padding: Any, dilation: Size, groups: int
) -> Tensor:
    device = x.device.type
    if torch.is_autocast_enabled(device):
        dtype = torch.get_autocast_dtype(device)
        x, weight = _lowered(x, dtype), _lowered(weight, dtype)
        bias = None if bias is None else _lowered(bias, dtype)
    check_tensors(x, weight, bias, dims, groups)
    geometry = geometry_of(x.shape[-dims:], weight.shape[2:], stride, padding, dilation, groups)
    images = x if x.ndim == dims + 2 else x.unsqueeze(0)
    if dims == 1:  # images of height 1
        y = _Convolve.apply(images.unsqueeze(2), weight.unsqueeze(2), bias, geometry).squeeze(2)
    else:
        y = _Convolve.apply(images, weight, bias, geometry)
    return y if x.ndim == dims + 2 else y.squeeze(0)


def _lowered(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """What autocast does to a convolution's arguments: all but float64 and integers become the region's type."""
    return tensor.to(dtype) if tensor.is_floating_point() and tensor.dtype != torch.float64 else tensor
