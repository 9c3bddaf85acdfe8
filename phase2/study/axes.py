"""Axes: settings along which the cells of a study may differ. What makes a setting one stands with its field."""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from phase2.study.section import NO_LIMIT


@dataclass(frozen=True)
class Axis:
    """Makes a field of the configuration an axis: `Annotated[Rate, Axis("learning rate", lane=True)]`.

    `label` and `plural` (the label with an s, if it is not told) are what a reader sees; `name` is the axis', if it is
    not the field's. Cells that differ in a `lane` are trained as lanes of one pack: it changes numbers in a step, never
    its graph. `none` is what a reader sees at the level none.
    """

    label: str
    plural: str = ""
    name: str = ""
    lane: bool = False
    none: str = NO_LIMIT

    @property
    def several(self) -> str:
        """What several levels are called."""
        return self.plural or f"{self.label}s"


@dataclass(frozen=True)
class Place:
    """An axis and where it puts its value: the path in a cell's spec, and the type of a level."""

    axis: Axis
    path: tuple[str, ...]
    level: Any

    @property
    def choices(self) -> tuple[str, ...]:
        """The levels of an axis that has a few, in their order."""
        return get_args(self.level) if get_origin(self.level) is Literal else ()


def places_in(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, Place]]:
    """Every axis among the fields of a section and of those in it, by name."""
    for name, field in model.model_fields.items():
        path = (*above, name)
        for mark in field.metadata:
            if isinstance(mark, Axis):
                yield mark.name or name, Place(mark, path, _level(field))
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from places_in(field.annotation, path)


def _level(field: FieldInfo) -> Any:
    """The type of a field's values, without the None that leaves a choice to the architecture."""
    marks = tuple(mark for mark in field.metadata if not isinstance(mark, Axis))
    kind: Any = field.annotation
    if get_origin(kind) in (Union, types.UnionType):
        kinds = [one for one in get_args(kind) if one is not type(None)]
        kind = kinds[0] if len(kinds) == 1 else kind
    return Annotated[(kind, *marks)] if marks else kind
