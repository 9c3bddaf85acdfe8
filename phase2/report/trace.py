"""From what is printed (a number, a table, a figure, a claim) back to the runs behind it."""

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from phase2.errors import UserError, not_made
from phase2.report.inputs import read_provenance
from phase2.study.tables import read_table

FEW = 4  # ids, or places, that are printed of many

Statements = dict[str, dict[str, Any]]


def load_trace(run_dir: Path) -> Statements:
    """Everything a run's PDFs state, by name; raises `UserError` if there are none yet."""
    file = "report/trace.json"
    try:
        return json.loads((run_dir / file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise not_made(run_dir, file) from None


def describe(run_dir: Path, wanted: str, everything: bool = False) -> str:
    """Value, computation, cells, seeds, commits, code and data behind what is `wanted`: a number as it is printed,
    "Table 2", "Figure 3", or the name of a claim, a macro, a table or a figure, of which all that bear it are told.

    Long lists are shortened, unless `everything` is asked for. Raises `UserError` for what is nowhere, with names that
    are near.
    """
    trace, printed = load_trace(run_dir), _printed(run_dir)
    words = wanted.strip().rstrip("%").rstrip()
    places = _places(trace, printed, words) if words else []
    if not places:
        names = {part for name in trace for part in (name, name.rsplit("/", 1)[-1])}
        near = ", ".join(get_close_matches(wanted, sorted(names), n=5, cutoff=0.5))
        hint = f"did you mean one of: {near}? " if near else ""
        raise UserError(f"nothing that is printed is {wanted!r}: {hint}`phase2 trace` without it lists all names")
    shown = places if everything else places[:FEW]
    texts = [_describe(run_dir, name, trace[name], rows, printed, everything) for name, rows in shown]
    if left := [name for name, _ in places[len(shown) :]]:
        texts.append(f"also in {_shortened(left, everything)}")
    return "\n\n".join(texts)


def _places(trace: Statements, printed: dict[str, list[str]], wanted: str) -> list[tuple[str, list[int]]]:
    """The statements that are meant, with the rows that are, if it is not the whole."""
    if numbered := re.fullmatch(r"(table|figure)\s+(\d+)", wanted, re.IGNORECASE):
        place = f"{numbered[1].capitalize()} {numbered[2]} of "
        return [(n, []) for n, s in trace.items() if any(p.startswith(place) for p in printed.get(s["label"], []))]
    bare = wanted.removeprefix("\\")
    said = {bare, bare.replace("_", " ")}  # a claim's name has spaces where its function has none
    if named := [name for name in trace if said & {name, name.rsplit("/", 1)[-1]}]:
        return [(name, []) for name in named]
    token = re.compile(rf"(?<![\w.,]){re.escape(wanted.replace('−', '-'))}(?![\w]|[.,]\d)")
    found = []
    for name, statement in trace.items():
        rows = [place for place, (text, _) in enumerate(statement["rows"]) if token.search(text)]
        if rows or token.search(statement["value"]) or token.search(statement["how"]):
            found.append((name, rows))
    return found


def _printed(run_dir: Path) -> dict[str, list[str]]:
    """Where each label is printed: "Table 3 of report.pdf, page 2"."""
    places: dict[str, list[str]] = {}
    for path in sorted((run_dir / "report").glob("*.labels.json")):
        document = path.name.removesuffix(".labels.json")
        for label, at in json.loads(path.read_text(encoding="utf-8")).items():
            kind = "Table" if label.startswith("tab:") else "Figure"
            places.setdefault(label, []).append(f"{kind} {at['number']} of {document}.pdf, page {at['page']}")
    return places


def _describe(
    run_dir: Path,
    name: str,
    statement: dict[str, Any],
    rows: list[int],
    printed: dict[str, list[str]],
    everything: bool,
) -> str:
    lines = [f"{statement['kind']} {name} = {statement['value']}"]
    lines += [f"printed   {place}" for place in printed.get(statement["label"], [])]
    lines.append(f"from      {statement['source']}: {statement['how']}")
    if not rows:
        about = [name for name in dict.fromkeys(behind["subject"] for _, behind in statement["rows"]) if name]
        lines += [f"about     {', '.join(about)}"] if about and not statement["subject"] else []
        return "\n".join([*lines, *_behind(run_dir, {"subject": statement["subject"], "selection": {}}, everything)])
    chosen = [statement["rows"][place] for place in (rows if everything else rows[:FEW])]
    for (text, behind), (_, following) in zip(chosen, [*chosen[1:], ("", None)], strict=True):
        lines += [f"row       {text}", *(_behind(run_dir, behind, everything) if behind != following else [])]
    if len(rows) > len(chosen):
        lines.append(f"... and {len(rows) - len(chosen)} more rows; --all prints them")
    return "\n".join(lines)


def _behind(run_dir: Path, behind: dict[str, Any], everything: bool) -> list[str]:
    """The lines on the runs behind something."""
    subject = behind["subject"]
    if not subject or not (folder := run_dir / "tables" / subject).is_dir():
        return []
    if (folder / "provenance.json").is_file():
        return _behind_probe(subject, read_provenance(folder), everything)
    cells = cells_behind(run_dir, behind)
    chosen = ", ".join(f"{axis}={value}" for axis, value in behind["selection"].items())
    changed = " (with changes)" if cells["dirty"].any() else ""
    return [
        f"study     {subject}{f' ({chosen})' if chosen else ''}",
        f"cells     {len(cells)} ({(cells['status'] == 'diverged').sum()} diverged): {_ids(cells['id'], everything)}",
        f"seeds     {' '.join(map(str, sorted(cells['seed'].unique())))}",
        f"commit    {_ids(_distinct(cells['commit']), everything)}{changed}",
        f"code      {_ids(_distinct(cells['code']), everything)}",
        f"data      {_ids(_distinct(cells['data']), everything)}",
        f"made on   {' '.join(_distinct(cells['device']))}, torch {' '.join(_distinct(cells['torch']))}",
        f"finished  {cells['finished'].max()}",
        *(_since(cells) if "changed" in cells else []),
    ]


def _since(cells: pd.DataFrame) -> list[str]:
    """What is told of shipped cells."""
    changed = cells["changed"].sum()
    since = f"has changed since for {changed} of {len(cells)}" if changed else "has not changed since"
    return [
        f"machine   {'; '.join(_distinct(cells['machine']))}, {cells['seconds'].sum() / 3600:.2f} hours",
        f"the code  {since}",
    ]


def cells_behind(run_dir: Path, behind: dict[str, Any]) -> pd.DataFrame:
    """The rows of a study's table of cells that are of the levels selected."""
    cells = read_table(run_dir / "tables" / behind["subject"] / "cells.csv")
    for axis, value in behind["selection"].items():
        values = value if isinstance(value, list) else [value]
        cells = cells[cells[axis].astype(str).isin([str(v) for v in values])]
    return cells


def _behind_probe(name: str, made: dict[str, Any], everything: bool) -> list[str]:
    ids = _ids(made["cells"], everything)
    return [
        f"probe     {name} ({made['probe']}): {json.dumps(made['options'])}",
        *([f"cells     {len(made['cells'])} of {made['study']}: {ids}"] if made["cells"] else []),
        f"commit    {made['commit'] or 'unknown'}{' (with changes)' if made['dirty'] else ''}",
        f"code      {made['code']}",
        f"data      {' '.join(made['data'].values()) or 'none'}",
        f"made on   {made['cpu']}, torch {made['packages']['torch']}",
        f"finished  {made['finished']}",
    ]


def _distinct(values: pd.Series) -> list[str]:
    return [str(value) for value in values.dropna().unique()] or ["unknown"]


def _ids(values: Iterable[str], everything: bool) -> str:
    return _shortened(list(values), everything, " ")


def _shortened(names: list[str], everything: bool, between: str = ", ") -> str:
    left = 0 if everything else len(names) - FEW
    if left <= 0:
        return between.join(names)
    return f"{between.join(names[:FEW])} ... and {left} more; --all prints them"
