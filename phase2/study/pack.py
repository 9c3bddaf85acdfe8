"""One job of the grid: restores the pack's cells that the store has, trains the others in lockstep, writes all files.

Imports torch: only jobs that train import this module.
"""

import json
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors.torch import save

from phase2.data.checked import open_checked
from phase2.data.prepared import Prepared, open_prepared
from phase2.errors import UserError
from phase2.files import sha256_file, sha256_text, write_bytes, write_json
from phase2.study.cell import Cell
from phase2.study.code import dataset_code, metrics_of, training_code
from phase2.study.config import Compute, Study
from phase2.study.provenance import environment
from phase2.study.results import (
    HISTORY,
    METRICS,
    destinations,
    kept_epochs,
    read_metrics,
    weight_files,
    write_history,
    write_metrics,
)
from phase2.study.store import Store, key_of
from phase2.task.opening import open_task
from phase2.train.logs.logger import About
from phase2.train.loop import LaneResult, train_pack
from phase2.train.memory import keep_freed_memory
from phase2.train.recipe import lane_of, recipe_of
from phase2.train.recorder import Recorder
from phase2.train.watch import UNWATCHED, Watch, Watches


@dataclass(frozen=True)
class Folders:
    """Where a run reads and writes."""

    prepared: Path  # the data set's folder of arrays
    results: Path  # results/<run>
    checkpoints: Path  # checkpoints/<run>
    store: Path
    work: Path  # in-progress checkpoints
    logs: Path  # logs/<run>


@dataclass(frozen=True)
class PackReport:
    """What a job did with its cells."""

    trained: int
    restored: int
    diverged: int
    train_seconds: float


def run_pack(
    cells: list[Cell],
    study: Study,
    folders: Folders,
    compute: Compute,
    progress: Callable[[float], None] = lambda fraction: None,
    deadline: float = math.inf,
    watch: Watch = UNWATCHED,
) -> PackReport:
    """Brings every cell of a pack into the results tree, as `fill_pack` does into the store. Killed and started again,
    it ends with the same bits.
    """
    keys, trained = fill_pack(cells, study, folders, compute, progress, deadline, watch)
    for cell, key in zip(cells, keys, strict=True):
        Store(folders.store).restore(key, destinations(cell, study, folders.results, folders.checkpoints))
    diverged = sum(read_metrics(cell, folders.results)["status"] == "diverged" for cell in cells)
    seconds = sum(result.seconds for result in trained)
    return PackReport(len(trained), len(cells) - len(trained), diverged, seconds)


def fill_pack(
    cells: list[Cell],
    study: Study,
    folders: Folders,
    compute: Compute,
    progress: Callable[[float], None] = lambda fraction: None,
    deadline: float = math.inf,
    watch: Watch = UNWATCHED,
) -> tuple[list[str], list[LaneResult]]:
    """Brings every cell of a pack into the cell store; returns the cells' keys, and what was trained for it.

    A training under way at `deadline` (of `time.monotonic`) stops with `OutOfTime`; the same call goes on from there.
    `watch` follows the training, if there is one, besides the loggers of `compute.logs`.
    """
    torch.set_num_threads(compute.threads)
    keep_freed_memory()
    prepared = open_checked(folders.prepared)
    store = Store(folders.store)
    keys = [key_of(cell, training_code(cell.settings), prepared.hash) for cell in cells]
    missing = [key for key in keys if not store.holds(key, _names(study))]
    if not missing:
        return keys, []
    folder = _work_folder(keys, study, folders)
    with only_here(folder):
        lanes = _lanes_under_way(folder, missing)
        chosen = {cell: key for cell, key in zip(cells, keys, strict=True) if key in lanes}
        with _recorder(list(chosen), folders, compute) as recorder:
            both = Watches([recorder, watch])
            return keys, _train(chosen, study, prepared, store, folder, compute, progress, deadline, both)


def standing(cells: list[Cell], study: Study, folders: Folders) -> tuple[list[Cell], bool]:
    """The cells of a pack that the store lacks, and whether an attempt that was stopped left a checkpoint of them."""
    data = open_prepared(folders.prepared).hash
    keys = [key_of(cell, training_code(cell.settings), data) for cell in cells]
    store, names = Store(folders.store), _names(study)
    lacking = [cell for cell, key in zip(cells, keys, strict=True) if not store.holds(key, names)]
    return lacking, (_work_folder(keys, study, folders) / "state.pt").exists()


def _names(study: Study) -> list[str]:
    return [METRICS, HISTORY, *weight_files(study)]


def _work_folder(keys: list[str], study: Study, folders: Folders) -> Path:
    return folders.work / sha256_text("".join([*sorted(keys), *_names(study)]))[:16]


def _recorder(cells: list[Cell], folders: Folders, compute: Compute) -> AbstractContextManager[Watch]:
    """What takes down the training of these cells for the configuration's loggers."""
    if not compute.logs:
        return nullcontext(UNWATCHED)
    names = [f"{cell.study}/{cell.partition}" for cell in cells]
    about = [About(folders.logs.name, name, cell.settings) for name, cell in zip(names, cells, strict=True)]
    return Recorder(compute.logs, [folders.logs / name for name in names], about)


@contextmanager
def only_here(folder: Path) -> Iterator[None]:
    """Holds the lock of a pack's work folder; raises `UserError` if another process does."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.with_suffix(".lock")
    try:
        lock = FileLock(path, timeout=0).acquire()
    except Timeout:
        raise UserError(
            f"another run is training this pack ({folder.name}): wait for it, or stop it, and start again"
        ) from None
    with lock:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)  # while held: who has it open and waits is told by filelock that it is gone


def _lanes_under_way(folder: Path, missing: list[str]) -> list[str]:
    """The keys of the cells that an attempt which was killed was training, else `missing`.

    An attempt killed while it put cells into the store left only some missing. They are trained with the others all
    the same: from its checkpoint, and to the same last bit, which depends on the number of lanes.
    """
    path = folder / "lanes.json"
    try:
        lanes = list(json.loads(path.read_text(encoding="utf-8")))
        if set(missing) <= set(lanes):
            return lanes
    except FileNotFoundError:
        pass
    except (ValueError, TypeError) as error:
        print(f"{path} is damaged ({error}): what was begun of this pack is given up, it is trained from its start")
    shutil.rmtree(folder, ignore_errors=True)
    write_json(path, missing)
    return missing


def _train(
    cells: dict[Cell, str],
    study: Study,
    prepared: Prepared,
    store: Store,
    folder: Path,
    compute: Compute,
    progress: Callable[[float], None],
    deadline: float,
    watch: Watch,
) -> list[LaneResult]:
    """Trains cells that share a pack, in its work folder, and puts them into the store by their keys."""
    device = torch.device(device_of(compute.device))
    settings = next(iter(cells)).settings
    results = train_pack(
        recipe_of(settings),
        [lane_of(cell.settings) for cell in cells],
        open_task(settings["task"], prepared, device),
        folder,
        device=device,
        keep_epochs=kept_epochs(study),
        checkpoint_seconds=compute.checkpoint_seconds,
        progress=progress,
        deadline=deadline,
        watch=watch,
    )
    provenance = environment() | {
        "data": prepared.hash,
        "device": device_name(device.type),
        "threads": compute.threads,
        "lanes": len(cells),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    for (cell, key), result in zip(cells.items(), results, strict=True):
        with tempfile.TemporaryDirectory(dir=folder) as name:
            _write_cell(Path(name), cell, key, result, study, provenance)
            store.put(key, Path(name))
    shutil.rmtree(folder)
    return results


def _write_cell(
    folder: Path, cell: Cell, key: str, result: LaneResult, study: Study, provenance: dict[str, Any]
) -> None:
    """Writes a cell's files. A diverged lane has no weights: its files of weights are there, and empty of tensors."""
    write_history(folder / HISTORY, metrics_of(cell.settings), result.history)
    for name in weight_files(study):
        tensors = result.weights.get(Path(name).stem, {})
        write_bytes(folder / name, save(tensors, metadata={"key": key}))
    write_metrics(
        folder / METRICS,
        {
            "id": cell.id,
            "key": key,
            "status": result.status,
            "diverged_step": result.diverged_step,
            "final": result.final,
            "best": result.best,
            "steps": result.steps,
            **({"skipped_steps": result.skipped} if result.skipped else {}),
            "seconds": result.seconds,
            "spec": cell.spec,
            "provenance": provenance
            | {"code": training_code(cell.settings), "prepare": dataset_code(cell.settings["task"]["dataset"])},
            "files": {name: sha256_file(folder / name) for name in (HISTORY, *weight_files(study))},
        },
    )


def device_name(device: str) -> str:
    """What results say that they were trained on: a GPU by its name."""
    return torch.cuda.get_device_name(device) if device == "cuda" else device


def device_of(wanted: str) -> str:
    """The device that a configuration asks for; raises `UserError` if it is not there."""
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise UserError("compute.device is cuda, and torch sees no GPU: set it to auto or cpu, or see `phase2 doctor`")
    return wanted
