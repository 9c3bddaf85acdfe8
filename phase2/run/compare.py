"""What differs between two runs, or between two commits that trained one run's cells, with intervals over seeds."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from phase2 import registry
from phase2.errors import UserError
from phase2.stats.interval import ENOUGH, over_seeds
from phase2.study.factors import SEED
from phase2.study.results import METRICS, whole_metrics
from phase2.study.score import PERCENT
from phase2.study.store import Store

Place = tuple[str, str]  # a study, and the folders of a cell below it
COMMIT = 7  # digits of a commit, at least


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: its cells' metrics by place."""

    name: str
    cells: dict[Place, dict[str, Any]]


def side(name: str, results: Path, store: Path, run: str) -> Side:
    """What `name` says: a run, which is a folder in `results`; or a commit, by its first digits, that trained cells of
    `run` that are in the store.

    Raises `UserError` if it is neither.
    """
    if (results / name / "cells").is_dir():
        return Side(name, dict(_cells_of(results / name)))
    trained = _trained_by(name, dict(_cells_of(results / run)), store) if len(name) >= COMMIT else {}
    if not trained:
        runs = sorted(path.parent.name for path in results.glob("*/cells"))
        raise UserError(
            f"{name!r} is neither a run with cells in {results}/ ({', '.join(runs) or 'there is none'}) nor a commit, "
            f"by {COMMIT} digits or more, that trained cells of the run {run} that are in the store"
        )
    return Side(name, trained)


def _cells_of(folder: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    for path in sorted((folder / "cells").rglob(METRICS)):
        study, *axes = path.parent.relative_to(folder / "cells").parts
        try:
            yield (study, str(PurePosixPath(*axes))), whole_metrics(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path} is damaged ({error!r}): run `snakemake`, which makes it again") from None


def _trained_by(commit: str, cells: Mapping[Place, Mapping[str, Any]], store: Path) -> dict[Place, dict[str, Any]]:
    """Of these cells what the store has from a commit, the latest if it was trained there twice."""
    found: dict[str, dict[str, Any]] = {}
    for key in Store(store):
        metrics = json.loads((Store(store).folder(key) / METRICS).read_text(encoding="utf-8"))
        before = found.get(metrics["id"])
        later = before is None or before["provenance"]["finished"] <= metrics["provenance"]["finished"]
        if (metrics["provenance"]["commit"] or "").startswith(commit) and later:
            found[metrics["id"]] = metrics
    return {place: found[metrics["id"]] for place, metrics in cells.items() if metrics["id"] in found}


def changes(a: Side, b: Side) -> pd.DataFrame:
    """A row for each study and combination of its factors that both have: how many cells there are of both, and how
    many changed; over the seeds at which both finished, what b scores above a: mean, low, high (95% t interval), least,
    most, n; and the runs of each that failed. The score is the metric that chooses, on validation at the end.

    Raises `UserError` if they have no cell in common.
    """
    common = [place for place in a.cells if place in b.cells]
    if not common:
        raise UserError(f"{a.name} and {b.name} have no cell in common: expected studies of one name and axes")
    groups: dict[Place, list[Place]] = {}
    for study, axes in common:
        factors = [level for level in axes.split("/") if not level.startswith(f"{SEED}=")]
        groups.setdefault((study, " ".join(factors)), []).append((study, axes))
    rows = [_row(*named, [(a.cells[place], b.cells[place]) for place in places]) for named, places in groups.items()]
    return pd.DataFrame(rows)


def _row(study: str, combination: str, pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> dict[str, Any]:
    scores = np.array([[_score(each) for each in pair] for pair in pairs])
    (known,) = over_seeds((scores[:, 1] - scores[:, 0])[None]).to_dict("records")
    told = {str(name): value for name, value in known.items()}
    changed = [first["final"] != second["final"] for first, second in pairs]
    failed = {f"failed_{side}": int(np.isnan(scores[:, n]).sum()) for n, side in enumerate("ab")}
    metric = next((name for pair in pairs for each in pair if (name := metric_of(each))), "")
    names = {"study": study, "combination": combination, "metric": metric}
    return {**names, "cells": len(pairs), "changed": sum(changed), **told, **failed}


def metric_of(metrics: Mapping[str, Any]) -> str:
    """The metric that chose a cell's best weights; none if it diverged."""
    return next((name.removeprefix("val_") for name in metrics["best"] or () if name.startswith("val_")), "")


def _score(metrics: Mapping[str, Any]) -> float:
    return metrics["final"][f"val_{metric_of(metrics)}"] if metrics["final"] else float("nan")


def report(a: Side, b: Side) -> str:
    """The comparison as text: each combination that changed, the largest change first, and a line a study."""
    table = changes(a, b)
    lines = []
    for study, rows in table.groupby("study", sort=False):
        alone = [_alone(study, a, b), _alone(study, b, a)]
        only = "".join(f", {n} only in {each.name}" for n, each in zip(alone, (a, b), strict=True) if n)
        lines.append(f"{study}: {rows.changed.sum()} of {rows.cells.sum()} cells changed{only}")
        changed = rows[rows.changed > 0]
        order = changed["mean"].abs().sort_values(ascending=False, na_position="first").index
        lines += [f"  {_line(row)}" for row in changed.loc[order].itertuples()]
    head = f"what {b.name} scores above {a.name}, on validation at the end of training; seed by seed"
    enough = f"in brackets the 95% t interval over seeds; below {ENOUGH} seeds their range, marked *"
    absent = sorted({study for study, _ in a.cells.keys() ^ b.cells.keys()} - set(table["study"]))
    missing = [f"in one of them alone: {', '.join(absent)}"] if absent else []
    return "\n".join([head, enough, *lines, *missing])


def _alone(study: Any, one: Side, other: Side) -> int:
    """How many cells of a study only one of them has."""
    return sum(place[0] == study for place in one.cells.keys() - other.cells.keys())


def _line(row: Any) -> str:
    percent = row.metric in registry.names("metric") and _unit(row.metric) == PERCENT
    scale, unit = (100, " points") if percent else (1, "")
    few = not np.isfinite(row.low)
    low, high = (row.least, row.most) if few else (row.low, row.high)
    seeds = f"{row.n} {'seed' if row.n == 1 else 'seeds'}"
    told = f"{row.metric} {scale * row.mean:+.4g}{unit} [{scale * low:+.4g}, {scale * high:+.4g}]{'*' * few} ({seeds})"
    failed = f"; failed: {row.failed_a} before, {row.failed_b} after" if row.failed_a or row.failed_b else ""
    return f"{row.combination or 'all'}: {told if row.n else 'no seed at which both finished'}{failed}"


def _unit(metric: str) -> str:
    return registry.part("metric", metric).card.traits.get("unit", "")
