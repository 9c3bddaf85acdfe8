"""Every figure by name, found by the cards in the files that draw them. Imports no matplotlib and no torch.

A figure of studies is a file of this package, or of a folder of the user's parts. One of a probe is a file of the
probe's folder: `draw.py` for the figure that has the probe's name, and a file of its own name for any other.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from phase2 import registry, source
from phase2.card import FigureCard, arguments_of
from phase2.errors import UserError, unknown

STUDY, DRAW = "study", "draw"
OF_STUDIES = (
    "cells",
    "curves",
    "schedules",
    "ranking",
    "levels",
    "pairs",
    "variance",
    "divergence",
    "chosen",
    "baseline",
    "score",
)


@dataclass(frozen=True, kw_only=True)
class Drawing(FigureCard):
    """A figure: its card, the file that draws it, and whose it is: any study's that has the axes it needs, or that of
    a kind of probe.
    """

    path: Path
    of: str

    @property
    def module(self) -> str:
        """The module that draws it."""
        return registry.module_of(self.path)


def figures() -> dict[str, Drawing]:
    """Every figure there is by name: the package's, and those in folders of the user's.

    Raises `UserError` for two of one name, and for a function that does not take the tables of its card.
    """
    return _figures(registry.brought())


@cache
def _figures(brought: Hashable) -> dict[str, Drawing]:
    folders = [*registry.own_folders(), *registry.own_probes()]
    found = _found([path for folder in folders for path in sorted(folder.glob("*.py"))], FIGURES)
    for name in found.keys() - FIGURES.keys():
        _check_function(name, found[name])
    return found


def _found(files: Iterable[Path], known: Mapping[str, Drawing]) -> dict[str, Drawing]:
    """The known figures, and those in files."""
    before, found = source.known(), dict(known)
    for path in files:
        card, _ = source.card_of(path) or (None, {})
        if isinstance(card, FigureCard):
            of_studies = path.parent in (source.ROOT / "phase2/figures", *registry.own_folders())
            name = path.parent.name if path.stem == DRAW else path.stem
            if name in found:
                raise UserError(f"{path} and {found[name].path} are both the figure {name}: rename one file")
            found[name] = Drawing(**asdict(card), path=path, of=STUDY if of_studies else path.parent.name)
    source.remember(before)
    return found


def _of_the_package() -> list[Path]:
    root = source.ROOT / "phase2"
    return [*sorted((root / "figures").glob("*.py")), *sorted((root / "probe").glob("*/*.py"))]


def _check_function(name: str, figure: Drawing) -> None:
    try:
        takes = arguments_of(source.parsed(figure.path), name)
    except UserError as error:
        raise UserError(f"{figure.path}: {error}") from None
    if set(takes) != set(figure.tables):
        tables, found = (", ".join(names) or "none" for names in (figure.tables, takes))
        raise UserError(f"{figure.path}: the card's tables are {tables}, and {name} takes {found}: make them the same")


FIGURES = _found(_of_the_package(), {})  # the package's


def check(names: Iterable[str], of: str, tables: Iterable[str] = OF_STUDIES, axes: Iterable[str] = ()) -> None:
    """Raises `UserError` for a figure that is unknown, that is not drawn of a study (or of this kind of probe), or that
    needs a table or an axis which is not among `tables` or the study's `axes`.
    """
    known = {name: figure for name, figure in figures().items() if figure.of == of}
    whose = "a study" if of == STUDY else f"the probe {of}"
    for name in names:
        if name not in known:
            raise unknown(f"figure of {whose}", name, known)
        if missing := [table for table in known[name].tables if table not in tables]:
            raise UserError(f"{known[name].path}: {unknown(f'table of {whose}', missing[0], tables)}")
        if missing := [axis for axis in known[name].needs if axis not in axes]:
            raise UserError(f"the figure {name} needs the axis {missing[0]}: add it to the study, or leave it out")


def drawing(name: str) -> Drawing:
    """What is known of a figure; raises `UserError` for an unknown name."""
    if name not in figures():
        raise unknown("figure", name, figures())
    return figures()[name]


def load(name: str) -> Callable[..., Any]:
    """The drawing function of a figure, imported now; raises `UserError` for an unknown name."""
    return getattr(import_module(drawing(name).module), name)
