"""A cell's files in the results tree: written once, checked whenever they are read.

`metrics.json` says what a cell was made from (id, code, data), holds the checksums of the cell's other files and one of
itself: it is the cell's receipt, and travels with the files.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from phase2.checksums import Checksums
from phase2.errors import UserError
from phase2.files import canonical_json, sha256_text, write_json
from phase2.study.cell import Cell
from phase2.study.code import dataset_code, training_code
from phase2.study.config import Study

METRICS, HISTORY = "metrics.json", "history.csv"
MEND = "run `snakemake`, which restores it from the cell store or trains the cell"
NORMS_AND_PACE = ("lr", "grad_norm", "weight_norm", "samples_per_second")


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


def cell_folder(results: Path, study: str, partition: PurePath) -> Path:
    """Where what is told of a cell lies: the one place that says so. `results` is the folder of the run."""
    return results / "cells" / study / partition


def destinations(cell: Cell, study: Study, results: Path, checkpoints: Path) -> dict[str, Path]:
    """Where each file of a cell goes. `results` and `checkpoints` are the folders of the run."""
    told, weights = cell_folder(results, cell.study, cell.partition), checkpoints / cell.study / cell.partition
    return {name: told / name for name in (METRICS, HISTORY)} | {name: weights / name for name in weight_files(study)}


def history_columns(metrics: Sequence[str]) -> list[str]:
    """The columns of a learning curve."""
    return ["epoch", "step", "split", "loss", *metrics, *NORMS_AND_PACE]


def write_history(path: Path, metrics: Sequence[str], rows: list[dict[str, Any]]) -> None:
    """Writes a cell's learning curve: a row an epoch and split."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, history_columns(metrics), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_metrics(path: Path, content: dict[str, Any]) -> None:
    """Writes a cell's metrics with the checksum of all that they say."""
    write_json(path, content | {"checksum": _checksum(content)})


def _checksum(content: dict[str, Any]) -> str:
    return sha256_text(canonical_json({name: value for name, value in content.items() if name != "checksum"}))


def read_metrics(cell: Cell, results: Path) -> dict[str, Any]:
    """A cell's metrics; raises `UserError` if the file is missing, damaged, or of another cell."""
    path = cell_folder(results, cell.study, cell.partition) / METRICS
    try:
        metrics = whole_metrics(path)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: {MEND}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not a cell's metrics ({error!r}): {MEND}") from None
    if metrics["id"] != cell.id:
        raise UserError(f"{path} belongs to cell {metrics['id']}, expected {cell.id} of this configuration: {MEND}")
    return metrics


def whole_metrics(path: Path) -> dict[str, Any]:
    """The content of a cell's metrics; raises `OSError`, `ValueError`, `KeyError` or `TypeError` unless it is whole."""
    metrics = json.loads(path.read_text(encoding="utf-8"))
    if metrics["checksum"] != _checksum(metrics):
        raise ValueError("its content is not as it was written")
    return metrics


def cell_disagreement(
    cell: Cell, data: str | None, files: Mapping[str, Path], checksums: Checksums, shipped: bool = False
) -> str | None:
    """In which way a cell's files, by name, are not those of `cell` with today's code and the data set of hash `data`
    (None: it is not prepared now, and the code that prepares it is compared); None if they are. Of a cell that is
    `shipped` any code may be, and the code that prepared its data.
    """
    try:
        metrics = whole_metrics(files[METRICS])
        made = metrics["provenance"]
        found = {"configuration": metrics["id"], "code": made["code"], "data": made["data" if data else "prepare"]}
        written = metrics["files"]
    except FileNotFoundError:
        return f"there is no {METRICS} yet"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{METRICS} is damaged ({type(error).__name__})"
    wanted = {"configuration": cell.id}
    if not shipped:
        prepared = data or dataset_code(cell.settings["task"]["dataset"])
        wanted |= {"code": training_code(cell.settings), "data": prepared}
    for what, value in wanted.items():
        if found[what] != value:
            return f"cells of another {what}" if what == "configuration" else f"cells trained with other {what}"
    for name, path in files.items():
        if name != METRICS and (checksum := checksums.of(path)) != written.get(name, "none"):
            return f"{name} is not as it was written" if checksum else f"{name} is missing"
    return None
