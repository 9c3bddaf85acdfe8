"""The tables of a probe, whatever they hold: small ones whole, of others the first rows, their file named."""

from typing import Any

import numpy as np
import pandas as pd

from phase2.report.inputs import ProbeInputs
from phase2.report.latex import count, escape, significant, title_of
from phase2.report.tabular import Table
from phase2.words.levels import label

WHOLE, FIRST, COLUMNS = 20, 5, 8  # rows that are printed of a small table and of a longer one, columns of any


def tables_of(probe: ProbeInputs) -> list[Table]:
    """The tables of a probe, without those that hold nothing."""
    return [_table(probe, name, table) for name, table in probe.tables.items() if len(table)]


def _table(probe: ProbeInputs, name: str, table: pd.DataFrame) -> Table:
    shown = table.iloc[: len(table) if len(table) <= WHOLE else FIRST, :COLUMNS]
    file = f"tables/{probe.name}/{name}.csv"
    left = [] if len(shown) == len(table) else [f"the first {count(len(shown))} of {count(len(table))} rows"]
    left += [] if len(shown.columns) == len(table.columns) else [f"{COLUMNS} of {count(len(table.columns))} columns"]
    words = rf"{title_of(probe.name)}: the table \texttt{{{escape(name)}}}"
    caption = rf"{words}{', ' if left else ''}{' and '.join(left)} (\nolinkurl{{{file}}})."
    numeric = [pd.api.types.is_numeric_dtype(shown[column]) for column in shown]
    align = "".join("r" if right else "l" for right in numeric)
    heads = [escape(str(column).replace("_", " ")) for column in shown]
    rows = [[_cell(value) for value in row] for row in shown.itertuples(index=False)]
    how = f"measured by the probe {probe.options.probe}"
    return Table(f"{probe.name}:{name}", caption, align, heads, rows, file, how, probe.name)


def _cell(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, str):
        return escape(label(value))
    return count(value) if float(value).is_integer() and abs(value) < 1e6 else significant(value)
