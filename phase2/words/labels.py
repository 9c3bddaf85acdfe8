"""The printed form of a name, and where it stands among others. Labels stand with what they name; here are the rest.

Looked through by fingerprints (`phase2.study.fingerprint`): a figure depends on the labels that it shows alone.
"""

from collections.abc import Iterable
from functools import cache

from phase2 import registry
from phase2.study.training import AXES

WORDS = {"test_accuracy": "test accuracy", "curve_area": "learning-curve area"}  # of what is neither part nor axis


def word(name: str) -> str | None:
    """The label of a part, a choice of an option, an axis, or another known name; None for others."""
    return _known().get(name)


def place(name: str) -> int:
    """Where a name stands in legends: parts in their order, then others; unknown ones last."""
    return _places().get(name, len(_places()))


def plural(axis: str) -> str:
    """Several levels of an axis."""
    return AXES[axis].axis.several if axis in AXES else f"{axis.replace('_', ' ')}s"


def none_of(axis: str) -> str:
    """What the level none of an axis is called."""
    return AXES[axis].axis.none if axis in AXES else "none"


def labels_of(names: Iterable[object]) -> dict[str, str]:
    """The labels of those names that have one: what a figure of them depends on."""
    return {str(name): label for name in names if (label := word(str(name)))}


def forget() -> None:
    """Forgets what was read, for a process that lives while code is edited."""
    _known.cache_clear()
    _places.cache_clear()


@cache
def _known() -> dict[str, str]:
    parts = [part for kind in registry.ROOMS for part in registry.parts(kind).values()]
    choices = {
        name: label for part in parts for option in part.card.options.values() for name, label in option.labels.items()
    }
    axes = {name: found.axis.label for name, found in AXES.items()}
    return axes | choices | WORDS | {part.name: part.card.label for part in parts}


@cache
def _places() -> dict[str, int]:
    parts = [name for kind in registry.ROOMS for name in registry.parts(kind)]
    return {name: place for place, name in enumerate(dict.fromkeys([*parts, *_known()]))}
