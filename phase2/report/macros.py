"""What the report states and where each statement comes from: macros for LaTeX, traces for who asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from phase2.files import write_json, write_text
from phase2.tex import macro_name


@dataclass(frozen=True)
class Macro:
    """One value of the report. `selection` picks the cells behind it: a level or several by axis, {} for all.

    `kind` is "macro", "figure" or "table"; a figure's or a table's value is its file under the run's folder.
    `table` names what `how` (the computation in words) starts from: a table of the study, or config,
    environment, data or code.
    """

    name: str
    value: str
    table: str
    how: str
    study: str | None = None
    selection: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "macro"


class Ledger:
    """All statements of a report, by name."""

    def __init__(self) -> None:
        self.entries: dict[str, Macro] = {}

    def add(self, macro: Macro) -> str:
        """Enters a statement and returns how LaTeX calls it. One name with two values is a mistake."""
        if self.entries.setdefault(macro.name, macro).value != macro.value:
            raise ValueError(f"\\{macro.name} is {self.entries[macro.name].value!r} and {macro.value!r}")
        return f"\\{macro.name}{{}}"

    def state(
        self,
        study: str | None,
        name: str,
        value: str,
        table: str,
        how: str,
        selection: Mapping[str, Any] | None = None,
    ) -> str:
        """Enters the macro \\<Study><Name> (or \\<Name> of the whole run) and returns its call."""
        return self.add(Macro(macro_name(study or "", name), value, table, how, study, selection or {}))

    def write(self, macros: Path, trace: Path) -> None:
        """Writes the LaTeX file of macros (a \\newcommand each) and the JSON of traces, by name."""
        lines = [f"\\newcommand{{\\{m.name}}}{{{m.value}}}" for m in self.entries.values() if m.kind == "macro"]
        write_text(macros, "\n".join(lines) + "\n")
        write_json(trace, {name: _trace(macro) for name, macro in self.entries.items()})


def _trace(macro: Macro) -> dict[str, Any]:
    keys = ("kind", "value", "study", "selection", "table", "how")
    return {key: getattr(macro, key) for key in keys} | {"selection": _plain(macro.selection)}


def _plain(selection: Mapping[str, Any]) -> dict[str, Any]:
    return {axis: value.item() if isinstance(value, np.generic) else value for axis, value in selection.items()}
