"""Tidy tables of a study, read from its cells' files: the input of all statistics and figures."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd

from phase2 import registry
from phase2.errors import UserError
from phase2.study.cell import Cell
from phase2.study.results import HISTORY, read_metrics

FINAL = ("test_accuracy", "test_loss", "val_accuracy", "val_loss", "train_accuracy", "train_loss")
PROVENANCE = ("data", "code", "commit", "dirty", "device", "torch", "finished")


def gather(cells: list[Cell], results: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `cells` (a row a cell) and `curves` (a row a cell, epoch and split) of one study.

    The learning-curve area is the mean of the validation accuracy over the epochs.
    """
    cell_rows: list[dict[str, Any]] = []
    curve_rows: list[dict[str, Any]] = []
    for cell in cells:
        metrics = read_metrics(cell, results)
        history = _read_history(results / cell.study / cell.partition / HISTORY)
        labels = {"id": cell.id} | dict(cell.axes)
        cell_rows.append(labels | _cell_row(cell, metrics, history))
        curve_rows += [labels | row for row in history]
    curves = pd.DataFrame(curve_rows)
    numeric = [c for c in curves.columns if c not in ("id", "split") and c not in dict(cells[0].axes)]
    return pd.DataFrame(cell_rows), curves.astype(dict.fromkeys(numeric, float)).astype({"epoch": int, "step": int})


def _cell_row(cell: Cell, metrics: dict[str, Any], history: list[dict[str, str]]) -> dict[str, Any]:
    final, best, provenance = metrics["final"] or {}, metrics["best"] or {}, metrics["provenance"]
    accuracies = [float(row["accuracy"]) for row in history if row["split"] == "val"]
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
        "seconds": metrics["seconds"],
        **{name: provenance.get(name) for name in PROVENANCE if name != "torch"},
        "torch": provenance["packages"]["torch"],
    }


def _read_history(path: Path) -> list[dict[str, str]]:
    try:
        with open(path, newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error}): delete its folder and run `snakemake grid`") from None


def schedule_table(cells: list[Cell], curves: pd.DataFrame) -> pd.DataFrame:
    """The learning rate at every step of each schedule of a study, from the functions: schedule, step (1-based), lr."""
    total = int(curves["step"].max())
    rows = []
    for name in dict.fromkeys(cell.spec["schedule"] for cell in cells):
        schedule = registry.load("schedule", name)
        lr = cells[0].spec["optimizer"]["lr"]
        rows += [{"schedule": name, "step": s + 1, "lr": schedule(s, total, lr)} for s in range(total)]
    return pd.DataFrame(rows)
