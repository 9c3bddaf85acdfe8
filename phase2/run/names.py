"""Names that a study or a probe cannot have, since the run has them already."""

from collections.abc import Iterable
from typing import get_args

from phase2.errors import UserError
from phase2.study.section import COMPANION, Document

TAKEN = (
    "claims",
    "derive",
    "index",
    "record",
    "restore",
    "sources",
    "summarise",
    *get_args(Document),
    COMPANION,
)  # its own logs


def check_names(**parts: Iterable[str]) -> None:
    """Raises `UserError` for a name that is taken; `parts` has them by section."""
    for place, name in ((f"{part}.{name}", name) for part, names in parts.items() for name in names):
        if name in TAKEN:
            raise UserError(f"{place}: the run itself has a log {name}.log: choose another name, such as {name}_1")
