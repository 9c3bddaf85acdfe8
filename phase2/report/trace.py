"""From a statement of the report back to the runs behind it."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from phase2.errors import UserError, unknown
from phase2.report.probes import read_provenance
from phase2.study.tables import read_table


def load_trace(run_dir: Path) -> dict[str, dict[str, Any]]:
    """Everything a run's report states, by name; raises `UserError` if there is no report yet."""
    path = run_dir / "report" / "trace.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(found.parts[-3] for found in run_dir.parent.glob("*/report/trace.json")))
        raise UserError(
            f"{path} is missing: run `snakemake report` first. Runs with a report: {known or 'none'}"
        ) from None


def cells_behind(run_dir: Path, statement: dict[str, Any]) -> pd.DataFrame:
    """The rows of the study's table of cells that a statement is drawn from; none if it is not drawn from any."""
    if not statement["study"] or _is_probe(run_dir, statement):
        return pd.DataFrame()
    cells = read_table(run_dir / "tables" / statement["study"] / "cells.csv")
    for axis, value in statement["selection"].items():
        values = value if isinstance(value, list) else [value]
        cells = cells[cells[axis].astype(str).isin([str(v) for v in values])]
    return cells


def describe(run_dir: Path, name: str) -> str:
    """Value, computation, cells, seeds, commits, code and data behind a macro, figure or table of the report.

    A figure or table may be named without its study: all that bear the name are described.
    """
    trace = load_trace(run_dir)
    wanted = name.lstrip("\\")
    keys = [key for key in trace if wanted in (key, key.rsplit("/", 1)[-1])]
    if not keys:
        raise unknown("figure, table or macro", name, trace)
    return "\n\n".join(_describe(run_dir, key, trace[key]) for key in keys)


def _describe(run_dir: Path, key: str, statement: dict[str, Any]) -> str:
    lines = [
        f"{statement['kind']} {key} = {statement['value']}",
        f"from      {statement['table']}: {statement['how']}",
    ]
    if _is_probe(run_dir, statement):
        return "\n".join([*lines, *_probe_behind(run_dir, statement["study"])])
    cells = cells_behind(run_dir, statement)
    if len(cells):
        chosen = ", ".join(f"{axis}={value}" for axis, value in statement["selection"].items())
        diverged = (cells["status"] == "diverged").sum()
        changed = " (with changes)" if cells["dirty"].any() else ""
        lines += [
            f"study     {statement['study']}{f' ({chosen})' if chosen else ''}",
            f"cells     {len(cells)} ({diverged} diverged): {' '.join(cells['id'])}",
            f"seeds     {' '.join(map(str, sorted(cells['seed'].unique())))}",
            f"commit    {_distinct(cells['commit'])}{changed}",
            f"code      {_distinct(cells['code'])}",
            f"data      {_distinct(cells['data'])}",
            f"made on   {_distinct(cells['device'])}, torch {_distinct(cells['torch'])}",
            f"finished  {cells['finished'].max()}",
        ]
    return "\n".join(lines)


def _is_probe(run_dir: Path, statement: dict[str, Any]) -> bool:
    return bool(statement["study"]) and (run_dir / "tables" / statement["study"] / "provenance.json").is_file()


def _probe_behind(run_dir: Path, name: str) -> list[str]:
    made = read_provenance(run_dir / "tables" / name)
    cells = [f"cells     {len(made['cells'])} of {made['study']}: {' '.join(made['cells'])}"] if made["cells"] else []
    return [
        f"probe     {name} ({made['probe']}): {json.dumps(made['options'])}",
        *cells,
        f"commit    {made['commit'] or 'unknown'}{' (with changes)' if made['dirty'] else ''}",
        f"code      {made['code']}",
        f"data      {' '.join(made['data'].values()) or 'none'}",
        f"made on   {made['cpu']}, torch {made['packages']['torch']}",
        f"finished  {made['finished']}",
    ]


def _distinct(values: pd.Series) -> str:
    return " ".join(str(value) for value in values.dropna().unique()) or "unknown"
