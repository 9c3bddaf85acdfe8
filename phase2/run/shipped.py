"""Shipped cells: finished trainings without their weights, shown by a run as they were trained, by whatever code.

They are evidence of the commit that made them. A run whose configuration names their folder trains nothing: it shows
what is there, says of each cell whether the code behind it has changed since, and names what is not there with the
hours that it takes. So its results are never stale, and never taken for those of today's code, which the store keeps.

    <folder>/cells.tar.xz          entries of a cell store: metrics.json, history.csv and their manifest
    <folder>/data/<set>.json       what is told of each data set: the meta.json of its prepared arrays
    <folder>/baselines/<task>.csv  what each study's networks have to beat
"""

import json
import shutil
import tempfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from phase2.data.archives import read_tar
from phase2.errors import UserError
from phase2.files import atomic_path, canonical_json, sha256_text, write_json
from phase2.run.config import Config, validate
from phase2.study.cell import Cell, cells_of
from phase2.study.code import metrics_of, training_code
from phase2.study.config import Study
from phase2.study.factors import SEED
from phase2.study.results import HISTORY, METRICS, destinations
from phase2.study.store import Store

CELLS = "cells.tar.xz"
SHIP = "`phase2 ship` with the same --configfile writes it"
DECIDING = ("dataset", "validation", "train", "test", "pixels")  # a baseline, of all that a task has

Metrics = dict[str, Any]  # what a cell's metrics.json holds


def shipped(folder: Path) -> dict[str, Metrics]:
    """The metrics of every shipped cell, by id; raises `UserError` if there is no archive, or a broken one."""
    archive = folder / CELLS
    if not archive.is_file():
        raise UserError(f"there is no {archive}: {SHIP} once some cells are trained (`phase2 fill`)")
    found = [json.loads(content) for name, content in read_tar(archive) if name.endswith(f"/{METRICS}")]
    return {metrics["id"]: metrics for metrics in found}


def shipped_ids(config: Config) -> set[str]:
    """The ids of the cells that a run has shipped: none where it ships none, or has none yet."""
    return set(shipped(config.shipped)) if config.shipped and (config.shipped / CELLS).is_file() else set()


def of_what_is_there(content: dict[str, Any]) -> dict[str, Any]:
    """A configuration, as it was read, with of each study the seeds of which every cell is shipped, and what is not
    there named in `untrained`. A configuration without shipped cells is returned as it is.

    Raises `UserError` if no seed of any study is whole.
    """
    config = validate(content)
    if config.shipped is None:
        return content
    there, reduced, untrained = shipped(config.shipped), deepcopy(content), {}
    for name, study in config.studies.items():
        cells = cells_of(name, study)
        lacking = [cell for cell in cells if cell.id not in there]
        if not lacking:
            continue
        untrained[name] = _told(study, cells, lacking, there)
        whole = [seed for seed in study.axes.values()[SEED] if seed not in {dict(cell.axes)[SEED] for cell in lacking}]
        if whole:
            reduced["studies"][name]["axes"][SEED] = whole
        else:
            reduced["studies"][name] = None
    if not any(reduced["studies"].values()):
        raise UserError(f"{config.shipped / CELLS} has no whole seed of any study: train some cells, then {SHIP}")
    return reduced | {"untrained": untrained}


def _told(study: Study, cells: list[Cell], lacking: list[Cell], there: dict[str, Metrics]) -> str:
    """How many cells of a study are not there, and what hours they take: by those that are, else by its own word."""
    seconds = [there[cell.id]["seconds"] for cell in cells if cell.id in there]
    each = sum(seconds) / len(seconds) / 3600 if seconds else study.hours
    time = "" if each is None else f" (about {each * len(lacking):.1f} hours)"
    return f"{len(lacking)} of {len(cells)} cells{time}"


def ship(config: Config, store: Store, say: Callable[[str], None]) -> None:
    """Writes the folder of shipped cells: of each cell of the configuration the entry that was trained last, of those
    in the store and those shipped before. Raises `UserError` for a run that ships none.
    """
    folder = config.shipped
    if folder is None:
        raise UserError("this run ships no cells: set shipped to a folder, as config/reference.yaml does")
    if (folder / CELLS).is_file():
        store.import_(folder / CELLS)
    wanted = {cell.id for name, study in config.studies.items() for cell in cells_of(name, study)}
    last: dict[str, tuple[str, str]] = {}  # of each cell, when it was finished and its key
    for key in store:
        metrics = json.loads((store.folder(key) / METRICS).read_text(encoding="utf-8"))
        if metrics["id"] in wanted:
            entry = (metrics["provenance"]["finished"], key)
            last[metrics["id"]] = max(entry, last.get(metrics["id"], entry))
    written, _ = store.export(folder / CELLS, [key for _, key in last.values()], (METRICS, HISTORY))
    say(f"{folder / CELLS}: {written} of {len(wanted)} cells, {(folder / CELLS).stat().st_size / 1e6:.2f} MB")
    _ship_data(config, folder, say)


def _ship_data(config: Config, folder: Path, say: Callable[[str], None]) -> None:
    """Writes what is told of the data sets, and the baselines that are not there yet: minutes each."""
    from phase2.data.checked import open_checked
    from phase2.run.baseline import baseline  # imports torch
    from phase2.run.fill import prepare

    for dataset in config.datasets:
        shutil.copyfile(prepare(dataset, config.data) / "meta.json", _made(folder / "data" / f"{dataset}.json"))
    for name, study in config.studies.items():
        path = _made(baseline_file(folder, study))
        if not path.exists():
            say(f"fitting the baseline of {name}")
            table = baseline(study, open_checked(prepare(study.task.dataset, config.data)))
            with atomic_path(path) as temporary:
                table.to_csv(temporary, index=False)


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def baseline_file(folder: Path, study: Study) -> Path:
    """Where the baseline of a study is among shipped cells: studies of one task share it."""
    task = study.task.model_dump(mode="json", include=set(DECIDING))
    return folder / "baselines" / f"{sha256_text(canonical_json(task))[:12]}.csv"


def beside(config: Config, cell: Cell) -> str:
    """What a line on a cell that was trained again says of the shipped one; nothing where none is shipped."""
    if config.shipped is None or cell.id not in shipped_ids(config):
        return ""
    metrics = shipped(config.shipped)[cell.id]
    made, name = metrics["provenance"], f"val_{metrics_of(cell.settings)[0]}"
    value = f"{metrics['final'][name]:.4f}" if metrics["final"] else "diverged"
    since = "code changed since" if made["code"] != training_code(cell.settings) else "same code"
    return f" (shipped {value}, commit {str(made['commit'])[:7]}, {since})"


def restore(config: Config, folder: Path, results: Path) -> None:
    """Writes the shipped cells of a configuration, the meta of their data and their baselines into `results`, the
    folder of the run. Raises `UserError` for an archive with a damaged cell, and for cells of other data.
    """
    there = shipped(folder)
    with tempfile.TemporaryDirectory() as name:
        store = Store(Path(name))
        _, refused = store.import_(folder / CELLS)
        if refused:
            raise UserError(f"{folder / CELLS}: {refused} cells are damaged: restore the file from version control")
        for name, study in config.studies.items():
            data = json.loads((folder / "data" / f"{study.task.dataset}.json").read_text(encoding="utf-8"))
            for cell in cells_of(name, study):
                metrics = there[cell.id]
                if metrics["provenance"]["data"] != data["hash"]:
                    raise UserError(
                        f"cell {cell.id} of {name} was trained on other data than {folder} tells of: {SHIP}"
                    )
                files = destinations(cell, study, results, Path())
                store.restore(metrics["key"], {file: files[file] for file in (METRICS, HISTORY)})
            write_json(data_file(results, study.task.dataset), data)
            shutil.copyfile(baseline_file(folder, study), _made(results / "tables" / name / "baseline.csv"))


def data_file(results: Path, dataset: str) -> Path:
    """Where the meta of a data set lies in the results of a run that shows shipped cells."""
    return results / "data" / dataset / "meta.json"
