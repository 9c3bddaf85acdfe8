"""What the PDFs state and where each statement comes from: macros for LaTeX, traces for who asks."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from phase2.files import write_json, write_text
from phase2.report.latex import plain
from phase2.report.tabular import Behind, Table


@dataclass(frozen=True)
class Statement:
    """A macro, a table, a figure or a claim: its `value` as printed, or the file below the run's folder that holds it.

    `source` is what `how` (the computation in words) starts from: a table, or config, environment, data or code. The
    `label` is LaTeX's; `rows` are the printed rows of a table, each with the runs behind it.
    """

    kind: str
    value: str
    source: str
    how: str
    subject: str | None = None
    label: str = ""
    rows: tuple[tuple[str, Behind], ...] = ()


class Ledger:
    """All statements of a run's PDFs, by name."""

    def __init__(self) -> None:
        self.entries: dict[str, Statement] = {}

    def add(self, name: str, statement: Statement) -> None:
        """Enters a statement. One name with two values is a mistake."""
        if self.entries.setdefault(name, statement).value != statement.value:
            raise ValueError(f"{name} is {self.entries[name].value!r} and {statement.value!r}")

    def state(self, name: str, value: str, source: str, how: str) -> None:
        """Enters the macro \\<name> of the whole run."""
        self.add(name, Statement("macro", value, source, how))

    def show(self, table: Table) -> Table:
        """Enters a table that is printed, and returns it."""
        behind = table.behind or [Behind(table.subject)] * len(table.rows)
        rows = tuple((plain(" | ".join(row)), _plain(runs)) for row, runs in zip(table.rows, behind, strict=True))
        name = table.key.replace(":", "/")
        self.add(name, Statement("table", table.file, table.file, table.how, table.subject, table.label, rows))
        return table

    def write(self, macros: Path, trace: Path) -> None:
        """Writes the LaTeX file of macros (a \\newcommand each) and the JSON of all statements by name."""
        entries = self.entries.items()
        lines = [f"\\newcommand{{\\{name}}}{{{s.value}}}" for name, s in entries if s.kind == "macro"]
        write_text(macros, "\n".join(lines) + "\n")
        write_json(trace, {name: asdict(statement) for name, statement in entries})


def _plain(behind: Behind) -> Behind:
    """With levels as JSON has them."""
    levels = behind.selection.items()
    return Behind(behind.subject, {axis: x.item() if isinstance(x, np.generic) else x for axis, x in levels})
