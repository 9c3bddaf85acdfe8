"""The geometry of a two-dimensional convolution: which window of the padded input each output reads."""

from typing import Any, NamedTuple

from torch import Tensor

from phase2.errors import UserError

Pair = tuple[int, int]
Size = int | tuple[int, ...]  # one for all dimensions, or one for each


class Geometry(NamedTuple):
    """All that a convolution is but its numbers; pairs are (vertical, horizontal)."""

    size: Pair  # of the input, before padding
    kernel: Pair
    stride: Pair
    padding: tuple[Pair, Pair]  # (top, bottom), (left, right)
    dilation: Pair
    groups: int

    @property
    def padded(self) -> Pair:
        """The padded input's size."""
        (top, bottom), (left, right) = self.padding
        return self.size[0] + top + bottom, self.size[1] + left + right

    @property
    def reach(self) -> Pair:
        """A window's size, d (k - 1) + 1."""
        (kh, kw), (dh, dw) = self.kernel, self.dilation
        return dh * (kh - 1) + 1, dw * (kw - 1) + 1

    @property
    def output(self) -> Pair:
        """The output's size, ⌊(padded - reach) / stride⌋ + 1."""
        (h, w), (rh, rw), (sh, sw) = self.padded, self.reach, self.stride
        return (h - rh) // sh + 1, (w - rw) // sw + 1


def geometry_of(
    size: tuple[int, ...],
    kernel: Size,
    stride: Size,
    padding: Size | str,
    dilation: Size,
    groups: int,
) -> Geometry:
    """The geometry for an input and a kernel of two dimensions, or of one: then the height is 1.

    Raises what `by_dimension` raises, and `UserError` for a kernel larger than the padded input.
    """
    dims = len(size)
    kernel, stride, edges, dilation = by_dimension(dims, kernel, stride, padding, dilation)
    geometry = Geometry(_pair(size), _pair(kernel), _pair(stride), _pair(edges, (0, 0)), _pair(dilation), groups)
    padded, reach = geometry.padded[-dims:], geometry.reach[-dims:]
    if any(window > side for window, side in zip(reach, padded, strict=True)):
        raise UserError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, padded))}). "
            f"Kernel size: ({' x '.join(map(str, reach))}). Kernel size can't be greater than actual input size"
        )
    return geometry


def _pair(values: tuple[Any, ...], first: Any = 1) -> Any:
    """(vertical, horizontal), with `first` as the vertical one if there is only one."""
    return (first, *values) if len(values) == 1 else tuple(values)


def as_tuple(name: str, value: Size, dims: int) -> tuple[int, ...]:
    """One integer for each dimension; raises `UserError` for anything but one integer or `dims` of them."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * dims
    if len(values) != dims or not all(isinstance(v, int) for v in values):
        raise UserError(
            f"expected {name} to be a single integer value or a list of {dims} values to match the convolution "
            f"dimensions, but got {name}={value!r}"
        )
    return values


def check_groups(groups: int) -> None:
    """Raises `UserError` unless there is at least one group."""
    if groups < 1:
        raise UserError(f"groups must be a positive integer, but got groups={groups}")


def by_dimension(
    dims: int, kernel: Size, stride: Size, padding: Size | str, dilation: Size
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[Pair, ...], tuple[int, ...]]:
    """The kernel, the stride, the padding (before, after) and the dilation of each dimension.

    Padding "same" keeps the input's size, at stride 1. Raises `UserError` for options out of range.
    """
    named = {"kernel_size": kernel, "stride": stride, "dilation": dilation}
    sizes = {name: as_tuple(name, value, dims) for name, value in named.items()}
    for name, values in sizes.items():
        if min(values) < 1:
            raise UserError(f"non-positive {name} is not supported: {name}={values}, expected at least 1")
    kernel, stride, dilation = sizes.values()
    return kernel, stride, _edges(padding, kernel, stride, dilation), dilation


def _edges(
    padding: Size | str, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[Pair, ...]:
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        if max(stride) > 1:
            raise UserError(f"padding='same' is not supported for strided convolutions, but got stride={stride}")
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(padding, str):
        raise UserError(f"Invalid padding string {padding!r}, should be one of 'valid', 'same'")
    values = as_tuple("padding", padding, len(kernel))
    if min(values) < 0:
        raise UserError(f"negative padding is not supported: padding={padding}, expected at least 0")
    return tuple((p, p) for p in values)


def check_tensors(x: Tensor, weight: Tensor, bias: Tensor | None, dims: int, groups: int) -> None:
    """Raises `UserError`, in torch's words, unless x, weight and bias fit each other."""
    check_groups(groups)
    if x.ndim not in (dims + 1, dims + 2):
        raise UserError(
            f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to conv{dims}d, "
            f"but got input of size: {list(x.shape)}"
        )
    if weight.ndim != dims + 2 or 0 in weight.shape:
        raise UserError(
            f"conv{dims}d: weight has shape {list(weight.shape)}, expected {dims + 2} dimensions, none of them 0"
        )
    shape, channels = list(weight.shape), weight.shape[1] * groups
    if weight.shape[0] % groups:
        raise UserError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size [{shape}] instead"
        )
    if x.shape[-1 - dims] != channels:
        raise UserError(
            f"Given groups={groups}, weight of size {shape}, expected input{list(x.shape)} "
            f"to have {channels} channels, but got {x.shape[-1 - dims]} channels instead"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise UserError(
            f"Given weight of size {shape}, expected bias to be 1-dimensional with {shape[0]} elements, "
            f"but got bias of size {list(bias.shape)} instead"
        )
    _check_types(x, weight, bias, dims)


def _check_types(x: Tensor, weight: Tensor, bias: Tensor | None, dims: int) -> None:
    if not x.is_floating_point():
        raise UserError(
            f"conv{dims}d: input of shape {tuple(x.shape)} is {x.dtype}, expected floating point: use input.float()"
        )
    for name, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and tensor.dtype != x.dtype:
            raise UserError(f"Input type ({x.dtype}) and {name} type ({tensor.dtype}) should be the same")
