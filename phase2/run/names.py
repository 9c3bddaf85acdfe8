"""Names that a study or a probe cannot have: the run has them already, or they would be one in the report's source."""

from collections.abc import Iterable
from typing import get_args

from phase2.errors import UserError
from phase2.study.section import Document
from phase2.tex import macro_name

# Logs in logs/<run>/, and the first words of macros of the whole run.
LOGS = ("claims", "derive", "index", "record", "sources", "summarise", *get_args(Document))
TAKEN = {
    **{name: f"macros \\{name.capitalize()}..." for name in ("alpha", "commit", "share", "total")},
    **{name: f"a log {name}.log" for name in LOGS},
}


def check_names(**parts: Iterable[str]) -> None:
    """Raises `UserError` for a name that is taken, and for two that are one macro; `parts` has them by section."""
    macros: dict[str, str] = {}
    for place, name in ((f"{part}.{name}", name) for part, names in parts.items() for name in names):
        if name in TAKEN:
            raise UserError(f"{place}: the run itself has {TAKEN[name]}: choose another name, such as {name}_1")
        same = macros.setdefault(macro_name(name), place)
        if same != place:
            raise UserError(
                f"{same} and {place} would both be \\{macro_name(name)} in the report's source, where digits are words "
                "and there are no underscores: rename one"
            )
