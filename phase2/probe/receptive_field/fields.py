"""The theoretical receptive field of a network's maps, read from its graph."""

import operator
from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.fx import Graph, GraphModule, Interpreter, Node, Tracer
from torch.nn import Module
from torch.nn.functional import pad

from phase2.errors import UserError
from phase2.models.blocks import centred
from phase2.nn.convolution.geometry import Geometry
from phase2.nn.weighted import Weighted


class Field(NamedTuple):
    """What the units of a map see along one axis: unit i the pixels start + i jump to start + i jump + size - 1.

    Araujo et al. 2019 ("Computing receptive fields of convolutional neural networks"). Pixels of the padding count, so
    start may be negative.
    """

    size: int = 1
    jump: int = 1
    start: int = 0

    def window(self, kernel: int, stride: int, padding: int, dilation: int) -> "Field":
        """The field after a convolution or a pool."""
        size = self.size + dilation * (kernel - 1) * self.jump
        return Field(size, self.jump * stride, self.start - padding * self.jump)

    def union(self, other: "Field") -> "Field":
        """The field of a sum of two maps, whose units are equally far apart."""
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return Field(end - start, self.jump, start)

    def of(self, unit: int) -> range:
        """The pixels that a unit sees."""
        first = self.start + unit * self.jump
        return range(first, first + self.size)


Fields = tuple[Field, Field]  # along rows, along columns


class LastMap(NamedTuple):
    """The network up to its last map: images (batch, channels, height, width) to the map (batch, channels, h, w)."""

    features: GraphModule
    fields: Fields


def fields(model: Module, shape: tuple[int, ...]) -> dict[str, Fields]:
    """The fields of all maps (batch, channels, height, width) for an image of `shape` (channels, height, width), by the
    node of the graph that makes each, in their order.

    What flattens a map, averages it away or reads it by a matrix ends its field. Statistics that a normalization takes
    over an image count as constants. Raises `UserError` for an operation of which it does not know what a unit sees.
    """
    return {node.name: found for node, found in _traced(model, shape)[1].items()}


def last_map(model: Module, shape: tuple[int, ...]) -> LastMap:
    """A copy of the network up to its last map, in evaluation mode and with constant weights, and the map's fields.

    Raises what `fields` raises, and `UserError` if no map comes after the image.
    """
    module, found = _traced(model, shape)
    last, theirs = list(found.items())[-1]
    if last.op == "placeholder":
        raise UserError(f"{type(model).__name__} has no map after the image, expected a convolutional network")
    for node in reversed(module.graph.nodes):
        if node is last:
            break
        module.graph.erase_node(node)
    module.graph.output(last)
    return LastMap(GraphModule(module, module.graph), theirs)


def _traced(model: Module, shape: tuple[int, ...]) -> tuple[GraphModule, dict[Node, Fields]]:
    """A copy of the model as a graph, and the fields of its maps."""
    model = deepcopy(model).eval().requires_grad_(False)
    reader = _Reader(model, _Tracer(autowrap_functions=(centred,)).trace(model))
    dtype = next((p.dtype for p in model.parameters()), torch.get_default_dtype())
    reader.run(torch.zeros(1, *shape, dtype=dtype))
    return reader.module, reader.found  # type: ignore[return-value]  # the module that it was given


class _Tracer(Tracer):
    """Sees the layers of `phase2.nn` as single nodes, as it sees those of torch."""

    def is_leaf_module(self, m: Module, module_qualified_name: str) -> bool:
        return m.__module__.startswith("phase2.nn.") or super().is_leaf_module(m, module_qualified_name)


class _Reader(Interpreter):
    """Runs a graph on one image and finds the fields of its maps on the way."""

    def __init__(self, model: Module, graph: Graph) -> None:
        super().__init__(GraphModule(model, graph))
        self.extra_traceback = False  # an error has said all
        self.found: dict[Node, Fields] = {}
        self.sides: dict[Node, torch.Size] = {}
        self.ended: set[Node] = set()  # made of the image, and no maps any more

    def run_node(self, n: Node) -> Any:
        value = super().run_node(n)
        if not isinstance(value, Tensor):
            return value
        found = None
        if value.ndim == 4:
            self.sides[n] = value.shape[2:]
            found = self._fields(n)
        if found:
            self.found[n] = found
        elif any(source in self.found or source in self.ended for source in n.all_input_nodes):
            self.ended.add(n)
        return value

    def _fields(self, node: Node) -> Fields | None:
        """The fields of a map, None if it has none."""
        if node.op == "placeholder":
            return Field(), Field()
        layer = self.fetch_attr(str(node.target)) if node.op == "call_module" else None
        inputs = [source for source in node.all_input_nodes if source in self.found]
        if not inputs or node.op == "output" or hasattr(layer, "output_size"):
            return None
        known = [self.found[source] for source in inputs]
        if options := _windows(layer):
            return _along(lambda field, option: field.window(*option), known[0], options)
        if node.target is operator.getitem:
            return _along(_sliced, known[0], _spatial(node.args[1]))
        before, after = self.sides[inputs[0]], self.sides[node]
        if node.target is pad:
            return _along(_padded, known[0], _margins(node.args[1]))
        if node.target is centred:
            margins = [(new - old) // 2 for old, new in zip(before, after, strict=True)]
            return _along(_padded, known[0], margins)
        same = all(self.sides[source] == after for source in inputs) and len({_jumps(one) for one in known}) == 1
        ended = any(source in self.ended for source in node.all_input_nodes)
        if not same or ended or isinstance(layer, Weighted):
            raise UserError(
                f"receptive field: unknown behind {node.format_node()}, expected convolutions, pools, cuts, padding or "
                "what keeps the places of a map"
            )
        union = known[0]
        for other in known[1:]:
            union = _along(Field.union, union, other)
        return union


def _along(change: Callable[[Field, Any], Field], of: Fields, options: Any) -> Fields:
    """A change along rows, and one along columns, each with its options."""
    rows, columns = options
    return change(of[0], rows), change(of[1], columns)


def _jumps(of: Fields) -> tuple[int, int]:
    return of[0].jump, of[1].jump


def _windows(layer: Any) -> list[tuple[int, int, int, int]] | None:
    """Kernel, stride, padding before and dilation of a convolution or a pool, along rows and along columns."""
    if isinstance(geometry := getattr(layer, "geometry", None), Geometry):
        before = [first for first, _ in geometry.padding]
        return list(zip(geometry.kernel, geometry.stride, before, geometry.dilation, strict=True))
    if not hasattr(layer, "kernel_size"):
        return None
    kernel, stride, dilation = _pair(layer.kernel_size), _pair(layer.stride), _pair(getattr(layer, "dilation", 1))
    padding = layer.padding
    if isinstance(padding, str):
        padding = [d * (k - 1) // 2 if padding == "same" else 0 for k, d in zip(kernel, dilation, strict=True)]
    return list(zip(kernel, stride, _pair(padding), dilation, strict=True))


def _pair(value: Any) -> tuple[int, int]:
    """An option of a layer along rows and along columns."""
    if isinstance(value, int):
        return value, value
    return tuple(value) * 2 if len(value) == 1 else tuple(value)


def _spatial(index: Any) -> list[slice]:
    """The slices of the last two of four dimensions in an index."""
    index = index if isinstance(index, tuple) else (index,)
    if Ellipsis in index:
        at = index.index(Ellipsis)
        index = (*index[:at], *[slice(None)] * (5 - len(index)), *index[at + 1 :])
    index = (*index, *[slice(None)] * (4 - len(index)))
    return list(index[2:])


def _sliced(of: Field, part: slice) -> Field:
    return Field(of.size, of.jump * (part.step or 1), of.start + (part.start or 0) * of.jump)


def _margins(sides: Any) -> tuple[int, int]:
    """What `pad` adds before rows and before columns; it counts dimensions from the last, two numbers each."""
    sides = (*sides, 0, 0)
    return sides[2], sides[0]


def _padded(of: Field, before: int) -> Field:
    return Field(of.size, of.jump, of.start - before * of.jump)
