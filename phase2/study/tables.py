"""Tidy tables of a study, read from its cells' files: the input of all statistics and figures."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd

from phase2 import registry
from phase2.checksums import Checksums
from phase2.errors import UserError
from phase2.study.cell import Cell
from phase2.study.results import HISTORY, HISTORY_COLUMNS, MEND, METRICS, cell_disagreement, read_metrics

FINAL = ("test_accuracy", "test_loss", "val_accuracy", "val_loss", "train_accuracy", "train_loss")
HASHES = ("id", "data", "code", "commit")
KINDS = dict.fromkeys(HISTORY_COLUMNS, float) | {"epoch": int, "step": int, "split": str}
PROVENANCE = ("data", "code", "commit", "dirty", "device", "torch", "finished")


def gather(cells: list[Cell], results: Path, data: str | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `cells` (a row a cell) and `curves` (a row a cell, epoch and split) of one study.

    The learning-curve area is the mean of the validation accuracy over the epochs. Where the learning rate is an axis,
    `lr` is the cell's also in `curves`. Raises `UserError` naming a file that is missing, damaged, or not what today's
    configuration and code make of the data of hash `data`.
    """
    cell_rows: list[dict[str, Any]] = []
    curve_rows: list[dict[str, Any]] = []
    checksums = Checksums()
    for cell in cells:
        folder = results / cell.study / cell.partition
        metrics = read_metrics(cell, results)
        if problem := cell_disagreement(cell, data, {name: folder / name for name in (METRICS, HISTORY)}, checksums):
            raise UserError(f"{folder}: {problem}. {MEND.capitalize()}")
        history = _read_history(folder / HISTORY)
        labels = {"id": cell.id} | dict(cell.axes)
        cell_rows.append(labels | _cell_row(cell, metrics, history))
        curve_rows += [row | labels for row in history]
    axes = ["id", *dict(cells[0].axes)]
    measured = [name for name in HISTORY_COLUMNS if name not in axes]
    curves = pd.DataFrame(curve_rows, columns=axes + measured).astype({name: KINDS[name] for name in measured})
    return pd.DataFrame(cell_rows), curves


def _cell_row(cell: Cell, metrics: dict[str, Any], history: list[dict[str, Any]]) -> dict[str, Any]:
    final, best, provenance = metrics["final"] or {}, metrics["best"] or {}, metrics["provenance"]
    accuracies = [row["accuracy"] for row in history if row["split"] == "val"]
    finished = metrics["status"] == "ok"
    return {
        "study": cell.study,
        "status": metrics["status"],
        "diverged_step": metrics["diverged_step"],
        **{name: final.get(name) for name in FINAL},
        "best_epoch": best.get("epoch"),
        "best_val_accuracy": best.get("val_accuracy"),
        "best_test_accuracy": best.get("test_accuracy"),
        "curve_area": sum(accuracies) / len(accuracies) if finished else None,
        "steps": metrics["steps"],
        "seconds": metrics["seconds"],
        **{name: provenance.get(name) for name in PROVENANCE if name != "torch"},
        "torch": provenance["packages"]["torch"],
    }


def _read_history(path: Path) -> list[dict[str, Any]]:
    with open(path, encoding="utf-8", newline="") as file:
        return [{name: kind(row[name]) for name, kind in KINDS.items()} for row in csv.DictReader(file)]


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
