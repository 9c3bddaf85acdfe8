"""Tables in LaTeX: rows of cells that are LaTeX already, with what leads from a printed row back to its runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from phase2.report.latex import count, lines

ROWS = 40  # that are printed of a table; the file has all


@dataclass(frozen=True)
class Behind:
    """The runs behind a row: of a study those of one or several levels by axis ({}: all), or what a probe measured."""

    subject: str | None = None
    selection: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A printed table: `key` is its label's, `file` below results/<run>/ holds it whole, `how` it was computed.

    `align` has LaTeX's columns. `behind` has for each row the runs that it is about; without it they are the subject's.
    """

    key: str
    caption: str
    align: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    file: str
    how: str
    subject: str | None = None
    behind: Sequence[Behind] = ()

    @property
    def label(self) -> str:
        return f"tab:{self.key}"

    def floating(self) -> str:
        """A float of its first rows; a table wider than the text is shrunk to fit."""
        left = len(self.rows) - ROWS
        rest = rf" The first {count(ROWS)} of {count(len(self.rows))} rows; all are in \nolinkurl{{{self.file}}}."
        return lines(
            r"\begin{table}[!htb]",
            r"\centering\small",
            rf"\caption{{{self.caption}{rest if left > 0 else ''}}}",
            rf"\label{{{self.label}}}",
            r"\begin{adjustbox}{max width=\linewidth}",
            rf"\begin{{tabular}}{{{self.align}}}",
            r"\toprule",
            _row(self.heads),
            r"\midrule",
            *map(_row, self.rows[:ROWS]),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{adjustbox}",
            r"\end{table}",
        )

    def long(self) -> str:
        """All rows, over as many pages as they take, the head on each; for columns whose widths fit the text."""
        head = [r"\toprule", _row(self.heads), r"\midrule"]
        return lines(
            r"\begingroup\footnotesize\renewcommand{\arraystretch}{1.15}",
            rf"\begin{{longtable}}{{{self.align}}}",
            rf"\caption{{{self.caption}}}\label{{{self.label}}}\\",
            *head,
            r"\endfirsthead",
            *head,
            r"\endhead",
            r"\bottomrule",
            r"\endfoot",
            *map(_row, self.rows),
            r"\end{longtable}",
            r"\endgroup",
        )


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def wrapped(*widths: int) -> str:
    """Columns of these widths (points) whose text wraps, ragged, without space at the outer edges."""
    return "@{}" + "".join(rf">{{\raggedright\arraybackslash}}p{{{width}bp}}" for width in widths) + "@{}"
