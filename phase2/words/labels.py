"""The printed form of a name, and where it stands among others. Labels stand with what they name; here are the rest.

Looked through by fingerprints (`phase2.study.fingerprint`): a figure depends on the labels that it shows alone.
"""

from collections.abc import Hashable, Iterable
from functools import cache

from phase2 import registry
from phase2.card import Option
from phase2.registry import Part
from phase2.study.training import AXES


def word(name: str) -> str | None:
    """The label of a part, or of several that follow each other, a choice of an option, or an axis; None for others."""
    known = _known(registry.brought())
    labels = [known.get(each) for each in registry.several(name)]
    return " + ".join(map(str, labels)) if all(labels) else None


def place(name: str) -> int:
    """Where a name stands in legends: parts in their order, then others; unknown ones last."""
    places = _places(registry.brought())
    return places.get(name, len(places))


def none_of(axis: str) -> str:
    """What the level none of an axis is called."""
    return AXES[axis].axis.none if axis in AXES else "none"


def labels_of(names: Iterable[str]) -> list[list[str]]:
    """What is told of those names that have a label, in their order, of axes also the level none: what a figure or a
    table that shows them depends on.
    """
    known = sorted((name for name in set(names) if word(name)), key=lambda name: (place(name), name))
    return [[name, word(name) or "", *([none_of(name)] if name in AXES else [])] for name in known]


@cache
def _known(brought: Hashable) -> dict[str, str]:
    choices = {name: label for option in _options() for name, label in option.labels.items()}
    axes = {name: found.axis.label for name, found in AXES.items()}
    return axes | choices | {part.name: part.card.label for part in _parts()}


@cache
def _places(brought: Hashable) -> dict[str, int]:
    choices = [choice for option in _options() for choice in option.choices]
    levels = [level for found in AXES.values() for level in found.choices]
    names = dict.fromkeys([*(part.name for part in _parts()), *choices, *levels, *_known(brought)])
    return {name: place for place, name in enumerate(names)}


def _parts() -> list[Part]:
    return [part for kind in registry.ROOMS for part in registry.parts(kind).values()]


def _options() -> list[Option]:
    return [option for part in _parts() for option in part.card.options.values()]
