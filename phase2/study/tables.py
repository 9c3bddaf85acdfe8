"""Tidy tables of a study, read from its cells' files: the input of all statistics and figures."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from phase2 import registry
from phase2.checksums import Checksums
from phase2.errors import UserError
from phase2.study.cell import Cell
from phase2.study.code import metrics_of, training_code
from phase2.study.results import HISTORY, MEND, METRICS, cell_disagreement, cell_folder, history_columns, read_metrics

PARTS = ("test", "val", "train")
PLAIN = "plain_test"  # the test part without the test-time augmentation that a study declares
HASHES = ("id", "data", "code", "commit")
KINDS = {"epoch": int, "step": int, "split": str}  # of a learning curve's columns; all others are numbers
PROVENANCE = ("data", "code", "commit", "dirty", "device", "torch", "finished")


def gather(
    cells: list[Cell], results: Path, data: str | None = None, shipped: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `cells` (a row a cell) and `curves` (a row a cell, epoch and split) of one study.

    Of cells that are `shipped`, which any code may have trained, each row says whether the code has changed since, and
    on which machine it was.

    The learning-curve area is the mean over the epochs of the metric that chooses, on the validation part. Where the
    learning rate is an axis, `lr` is the cell's also in `curves`. Raises `UserError` naming a file that is missing,
    damaged, or not what today's configuration and code make of the data of hash `data`.
    """
    cell_rows: list[dict[str, Any]] = []
    curve_rows: list[dict[str, Any]] = []
    checksums = Checksums()
    for cell in cells:
        folder = cell_folder(results, cell.study, cell.partition)
        metrics = read_metrics(cell, results)
        files = {name: folder / name for name in (METRICS, HISTORY)}
        if problem := cell_disagreement(cell, data, files, checksums, shipped):
            raise UserError(f"{folder}: {problem}. {MEND.capitalize()}")
        history = _read_history(folder / HISTORY)
        labels = {"id": cell.id} | dict(cell.axes)
        cell_rows.append(labels | _cell_row(cell, metrics, history) | (_since(cell, metrics) if shipped else {}))
        curve_rows += [row | labels for row in history]
    axes = ["id", *dict(cells[0].axes)]
    measured = [name for name in history_columns(metrics_of(cells[0].settings)) if name not in axes]
    kinds = {name: KINDS.get(name, float) for name in measured}
    curves = pd.DataFrame(curve_rows, columns=axes + measured).astype(kinds)
    return pd.DataFrame(cell_rows), curves


def parts_of(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The parts that a cell of these settings is measured on; without test-time augmentation if it has any, too."""
    return PARTS if settings["task"]["tta"] == "none" else (PLAIN, *PARTS)


def _cell_row(cell: Cell, metrics: dict[str, Any], history: list[dict[str, Any]]) -> dict[str, Any]:
    final, best, provenance = metrics["final"] or {}, metrics["best"] or {}, metrics["provenance"]
    names = metrics_of(cell.settings)
    chooses, parts = names[0], parts_of(cell.settings)
    values = [row[chooses] for row in history if row["split"] == "val"]
    finished = metrics["status"] == "ok"
    return {
        "study": cell.study,
        "status": metrics["status"],
        "diverged_step": metrics["diverged_step"],
        **{f"{part}_{name}": final.get(f"{part}_{name}") for part in parts for name in (*names, "loss")},
        "best_epoch": best.get("epoch"),
        **{f"best_{part}_{chooses}": best.get(f"{part}_{chooses}") for part in ("val", "test")},
        "curve_area": sum(values) / len(values) if finished else None,
        "steps": metrics["steps"],
        "seconds": metrics["seconds"],
        **{name: provenance.get(name) for name in PROVENANCE if name != "torch"},
        "torch": provenance["packages"]["torch"],
    }


def _since(cell: Cell, metrics: dict[str, Any]) -> dict[str, Any]:
    """What is told of a shipped cell."""
    made = metrics["provenance"]
    machine = f"{made['threads']} of {made['cores']} cores of {made['cpu']}"
    return {"changed": made["code"] != training_code(cell.settings), "machine": machine}


def _read_history(path: Path) -> list[dict[str, Any]]:
    with open(path, encoding="utf-8", newline="") as file:
        return [{name: KINDS.get(name, float)(value) for name, value in row.items()} for row in csv.DictReader(file)]


def read_table(path: Path) -> pd.DataFrame:
    """Reads a table that a run wrote. Hashes stay text, also those that look like numbers; only "" is missing.

    Without a row nothing tells words from numbers: then all columns but the hashes are of numbers.
    """
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(HASHES, str), keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run `snakemake`, which makes every table") from None
    return table.astype({name: float for name in table if name not in HASHES}) if table.empty else table


def schedule_table(cells: list[Cell], total: int) -> pd.DataFrame:
    """The rate of every schedule at each of `total` steps, from the functions: schedule, step (from 1), lr."""
    rows = []
    for name in dict.fromkeys(cell.settings["schedule"] for cell in cells):
        schedule = registry.load("schedule", name)
        lr = cells[0].settings["optimizer"]["lr"]
        rows += [{"schedule": name, "step": s + 1, "lr": schedule(s, total, lr)} for s in range(total)]
    return pd.DataFrame(rows)
