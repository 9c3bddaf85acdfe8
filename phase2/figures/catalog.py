"""Every figure by name, found by the cards in the files that draw them. Imports no matplotlib and no torch.

A figure of studies is a file of this package; one of a probe is a file of the probe's folder: `draw.py` for the figure
that has the probe's name, and a file of its own name for any other.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

from phase2 import source
from phase2.card import FigureCard
from phase2.errors import UserError, unknown

STUDY, DRAW = "study", "draw"


@dataclass(frozen=True, kw_only=True)
class Drawing(FigureCard):
    """A figure: its card, the module that draws it, and whose it is: any study's that has the axes it needs, or that of
    a kind of probe.
    """

    module: str
    of: str


def _found() -> dict[str, Drawing]:
    before, root = source.known(), source.ROOT / "phase2"
    found: dict[str, Drawing] = {}
    for path in [*sorted((root / "figures").glob("*.py")), *sorted((root / "probe").glob("*/*.py"))]:
        card, _ = source.card_of(path) or (None, {})
        if isinstance(card, FigureCard):
            of = STUDY if path.parent.name == "figures" else path.parent.name
            name = of if path.stem == DRAW else path.stem
            if name in found:
                raise UserError(f"{path} and {found[name].module} are both the figure {name}: rename one file")
            module = ".".join(path.relative_to(source.ROOT).with_suffix("").parts)
            found[name] = Drawing(**asdict(card), module=module, of=of)
    source.remember(before)
    return found


FIGURES = _found()


def check(names: Iterable[str], of: str, axes: Iterable[str] = ()) -> None:
    """Raises `UserError` for a figure that is unknown, that is not drawn of a study (or of this kind of probe), or
    that needs an axis which is not among the study's `axes`.
    """
    known = [name for name, figure in FIGURES.items() if figure.of == of]
    for name in names:
        if name not in known:
            raise unknown(f"figure of a {of}" if of == STUDY else f"figure of the probe {of}", name, known)
        if missing := [axis for axis in FIGURES[name].needs if axis not in axes]:
            raise UserError(f"the figure {name} needs the axis {missing[0]}: add it to the study, or leave it out")


def load(name: str) -> Callable[..., Any]:
    """The drawing function of a figure, imported now; raises `UserError` for an unknown name."""
    if name not in FIGURES:
        raise unknown("figure", name, FIGURES)
    return getattr(import_module(FIGURES[name].module), name)
