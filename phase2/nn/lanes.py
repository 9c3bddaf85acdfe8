"""Lanes: what the rules of this package's functions under `torch.func.vmap` have in common."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from phase2.nn.function import Function


def lane_first(lanes: int, dim: int | None, tensor: Tensor) -> Tensor:
    """The tensor with the lane dimension `dim` in front; one that all lanes share is expanded, not copied."""
    return tensor.expand(lanes, *tensor.shape) if dim is None else tensor.movedim(dim, 0)


def lanes_first(lanes: int, dims: Iterable[Any], inputs: Iterable[Any]) -> list[Any]:
    """`inputs` with every tensor's lanes in front; what is no tensor stays as it is."""
    return [lane_first(lanes, dim, x) if isinstance(x, Tensor) else x for x, dim in zip(inputs, dims, strict=True)]


def merged(lanes: int, dim: int | None, tensor: Tensor, axis: int = 0) -> Tensor:
    """The tensor with its lanes as further entries of its dimension `axis`, such as further rows or channels."""
    return lane_first(lanes, dim, tensor).movedim(0, axis).flatten(axis, axis + 1)


def separate(lanes: int, result: Tensor, axis: int = 0) -> tuple[Tensor, int]:
    """What was computed of merged lanes, lane by lane, and the lane dimension."""
    return result.unflatten(axis, (lanes, -1)), axis


class InLanes(Function):
    """A function of tensors that may all have one dimension more in front: under vmap, the lanes."""

    @classmethod
    def vmap(cls, info: Any, in_dims: tuple, *inputs: Any) -> tuple[Any, int]:
        return cls.apply(*lanes_first(info.batch_size, in_dims, inputs)), 0
