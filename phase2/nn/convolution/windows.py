"""Windows of images as rows of a matrix, and back; written out in the order that is quickest to copy."""

import math
from itertools import product

import torch
from torch import Tensor

from phase2.nn.convolution.geometry import Geometry


def matrix_of(W: Tensor, geometry: Geometry) -> Tensor:
    """(groups, kh kw in / groups, out / groups)."""
    return W.unflatten(0, (geometry.groups, -1)).permute(0, 1, 3, 4, 2).flatten(2).mT


def by_group(y: Tensor, geometry: Geometry) -> Tensor:
    """The view (groups, batch, H', W', out / groups) of y (batch, out, H', W')."""
    return y.unflatten(1, (geometry.groups, -1)).permute(1, 0, 3, 4, 2)


def _layout(images: Tensor, geometry: Geometry, channels: int) -> torch.memory_format:
    """How images of so many channels a group had best lie in memory: such that windows are copied in long runs."""
    if geometry.kernel == (1, 1):
        last = images.is_contiguous(memory_format=torch.channels_last) or channels > math.prod(geometry.output)
    else:
        last = geometry.kernel[1] * channels >= geometry.output[1]
    return torch.channels_last if last else torch.contiguous_format


def _matrices(windows: Tensor, layout: torch.memory_format) -> Tensor:
    """(groups, batch H' W', numbers) of (groups, batch, H', W', *numbers), with the numbers or the pixels in a run."""
    if layout is torch.channels_last:
        return windows.flatten(4).flatten(1, 3)
    return windows.movedim((1, 2, 3), (-3, -2, -1)).flatten(1, -4).flatten(2).mT


def rows_of(G: Tensor, geometry: Geometry, channels: int) -> Tensor:
    """(groups, batch H' W', out / groups) of G (batch, out, H', W')."""
    return _matrices(by_group(G, geometry), _layout(G, geometry, channels))


def unfold(x: Tensor, geometry: Geometry) -> Tensor:
    """(groups, batch H' W', kh kw in / groups): each row is a window of x (batch, in, H, W)."""
    layout = _layout(x, geometry, x.shape[1] // geometry.groups)
    if geometry.kernel != (1, 1) and geometry.padded == geometry.size:
        x = x.contiguous(memory_format=layout)
    return _matrices(windows_of(x, geometry, layout), layout)


def fold(rows: Tensor, x: Tensor, geometry: Geometry) -> None:
    """The adjoint of `unfold`: writes into x (batch, in, H, W) the sum of all windows at their places."""
    (h, w), (kh, kw) = geometry.output, geometry.kernel
    layout = torch.channels_last if rows.is_contiguous() else torch.contiguous_format
    add_up(rows.unflatten(2, (kh, kw, -1)).unflatten(1, (-1, h, w)), x, geometry, layout)


def add_up(windows: Tensor, x: Tensor, geometry: Geometry, layout: torch.memory_format) -> None:
    """Writes into x the sum of all windows (groups, batch, H', W', kh, kw, in / groups) at their places."""
    direct = geometry.padded == geometry.size and x.dtype == wide(x.dtype)
    padded = x.zero_() if direct else _zeros(x, geometry, wide(x.dtype), layout)
    places = _windows(padded, geometry)
    for k, l in product(*map(range, geometry.kernel)):
        places[..., k, l, :] += windows[..., k, l, :]
    if not direct:
        x.copy_(_inner(padded, geometry))


def windows_of(x: Tensor, geometry: Geometry, layout: torch.memory_format = torch.contiguous_format) -> Tensor:
    """The view (groups, batch, H', W', kh, kw, in / groups) of x (batch, in, H, W), or of a padded copy of it."""
    if geometry.padded != geometry.size:
        padded = _zeros(x, geometry, x.dtype, layout)
        _inner(padded, geometry).copy_(x)
        x = padded
    return _windows(x, geometry)


def _zeros(x: Tensor, geometry: Geometry, dtype: torch.dtype, layout: torch.memory_format) -> Tensor:
    """Room for x (batch, in, H, W) with its padding."""
    shape = (*x.shape[:2], *geometry.padded)
    return torch.empty(shape, dtype=dtype, device=x.device, memory_format=layout).zero_()


def wide(dtype: torch.dtype) -> torch.dtype:
    """The type of a sum: half types would lose too much."""
    return torch.promote_types(dtype, torch.float32)


def _inner(padded: Tensor, geometry: Geometry) -> Tensor:
    """The view of padded (batch, in, height, width) without its padding."""
    (top, _), (left, _) = geometry.padding
    return padded[..., top : top + geometry.size[0], left : left + geometry.size[1]]


def _windows(padded: Tensor, geometry: Geometry) -> Tensor:
    """A view (groups, batch, H', W', kh, kw, in / groups) of padded (batch, in, height, width)."""
    batch, channels = padded.shape[:2]
    (sh, sw), (dh, dw) = geometry.stride, geometry.dilation
    image, channel, row, column = padded.stride()
    per_group = channels // geometry.groups
    return padded.as_strided(
        (geometry.groups, batch, *geometry.output, *geometry.kernel, per_group),
        (per_group * channel, image, sh * row, sw * column, dh * row, dw * column, channel),
    )
