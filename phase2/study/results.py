"""A cell's files in the results tree: written once, checked whenever they are read."""

import csv
import json
from pathlib import Path
from typing import Any

from phase2.errors import UserError
from phase2.study.cell import Cell
from phase2.study.config import Study

METRICS, HISTORY = "metrics.json", "history.csv"
HISTORY_COLUMNS = (
    "epoch",
    "step",
    "split",
    "loss",
    "accuracy",
    "lr",
    "grad_norm",
    "weight_norm",
    "samples_per_second",
)


def weight_files(study: Study) -> list[str]:
    """The files of weights that a study keeps of each cell."""
    if study.keep == "none":
        return []
    return ["best.safetensors", *(f"epoch={epoch:02d}.safetensors" for epoch in kept_epochs(study))]


def kept_epochs(study: Study) -> list[int]:
    """The epochs after which a study keeps the weights, besides the best."""
    last = study.budget.epochs
    return {"half": [half_way(last)], "all": list(range(1, last + 1))}.get(study.keep, [])


def half_way(epochs: int) -> int:
    """The epoch in the middle of a budget."""
    return max(1, epochs // 2)


def destinations(cell: Cell, study: Study, results: Path, checkpoints: Path) -> dict[str, Path]:
    """Where each file of a cell goes. `results` and `checkpoints` are the folders of the run."""
    folder = Path(cell.study) / cell.partition
    tables = {name: results / folder / name for name in (METRICS, HISTORY)}
    return tables | {name: checkpoints / folder / name for name in weight_files(study)}


def write_history(path: Path, rows: list[dict[str, Any]]) -> None:
    """Writes a cell's learning curve: a row an epoch and split."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HISTORY_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_metrics(cell: Cell, results: Path) -> dict[str, Any]:
    """A cell's metrics; raises `UserError` if the file is missing, damaged, or of another cell."""
    path = results / cell.study / cell.partition / METRICS
    mend = "delete it and run again: the cell store restores it, or the cell is trained"
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        found = metrics["id"]
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run `snakemake grid` to make it") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not a cell's metrics ({error!r}): {mend}") from None
    if found != cell.id:
        raise UserError(f"{path} belongs to cell {found}, expected {cell.id} of this configuration: {mend}")
    return metrics
