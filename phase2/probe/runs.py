"""The trained networks of a study, read back from their weights."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import Module

from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.files import canonical_json
from phase2.probe.images import spread
from phase2.study.cell import Cell
from phase2.study.code import training_code
from phase2.study.factors import factors_of
from phase2.study.results import MEND
from phase2.study.store import key_of
from phase2.task.opening import open_task
from phase2.task.task import Task
from phase2.train.lanes import initialized, network
from phase2.train.recipe import recipe_of

BEST = "best.safetensors"


@dataclass(frozen=True)
class Run:
    """A network as it was best on validation, in evaluation mode, with the axis values (seed too) of its cell, the task
    of its study (dataset, validation, train, ...), and, to see it before training, its cell.
    """

    axes: dict[str, Any]
    model: Module
    task: dict[str, Any] = field(default_factory=dict)
    cell: Cell | None = None


class Runs(list[Run]):
    """The networks of a study that finished, and its `axes` with all their levels, which hold also if none did."""

    def __init__(self, runs: Iterable[Run], axes: Mapping[str, Sequence[Any]]) -> None:
        super().__init__(runs)
        self.axes = dict(axes)

    @property
    def all_finished(self) -> bool:
        return len(self) == math.prod(map(len, self.axes.values()))

    def table(self, rows: Sequence[Mapping[Any, Any]], *columns: str) -> pd.DataFrame:
        """Rows that begin with the axes of a run; without any, the axes and these columns alone."""
        return pd.DataFrame(rows) if rows else pd.DataFrame(columns=[*self.axes, *columns])

    def joined(self, parts: Sequence[pd.DataFrame], *columns: str) -> pd.DataFrame:
        """Tables of the runs below each other; without any, the axes, the seed last, and these columns alone."""
        names = [*factors_of(self.axes), "seed", *columns]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)


def read_runs(cells: Sequence[Cell], checkpoints: Path, data: Prepared) -> Runs:
    """The networks of all cells that finished; a diverged cell's file of weights is empty, and it is left out.

    `checkpoints` is the folder of the run. Raises `UserError` for a file that is missing or damaged.
    """
    runs = []
    settings = {canonical_json(cell.settings["task"]): cell.settings["task"] for cell in cells}
    tasks = {known: open_task(each, data, torch.device("cpu")) for known, each in settings.items()}  # it reads images
    for cell in cells:
        path = checkpoints / cell.study / cell.partition / BEST
        if (model := _read(path, cell, data, tasks[canonical_json(cell.settings["task"])])) is not None:
            runs.append(Run(dict(cell.axes), model, cell.settings["task"], cell))
    axes = {name: list(dict.fromkeys(dict(cell.axes)[name] for cell in cells)) for name, _ in cells[0].axes}
    return Runs(runs, axes)


def at_start(run: Run, data: Prepared) -> Module:
    """The network of a run as it was before training, in evaluation mode."""
    assert run.cell is not None
    spec = run.cell.settings
    return initialized(recipe_of(spec), spec["init"], task_of(run, data), torch.float32).eval()


def _read(path: Path, cell: Cell, data: Prepared, task: Task) -> Module | None:
    """The network with the weights of a file; None if the file holds none, since the cell diverged."""
    try:
        with safe_open(path, "pt") as file:
            made_as = (file.metadata() or {}).get("key")
        if made_as != key_of(cell, training_code(cell.settings), data.hash):
            raise UserError("they are of another cell, other code or other data")
        weights = load_file(path)
        if not weights:
            return None
        model = network(recipe_of(cell.settings), task.train.shape, task.outputs)
        model.load_state_dict(weights)
    except Exception as error:  # safetensors' own errors share no class
        raise UserError(f"the weights {path} cannot be used ({error}): {MEND}") from None
    return model.eval()


def task_of(run: Run, data: Prepared, **changes: Any) -> Task:
    """The task of a run, as it was trained, with some of its settings changed."""
    return open_task(run.task | changes, data, torch.device("cpu"))


def test_images(count: int, data: Prepared, run: Run) -> tuple[Tensor, Tensor]:
    """At most `count` images of the test part of a run's task (images, channels, height, width), evenly spread, and
    their labels (images,).
    """
    test = task_of(run, data).test
    return test.batch(spread(count, len(test)), torch.float32)


def training_images(count: int, data: Prepared, run: Run) -> tuple[Tensor, Tensor, int]:
    """At most `count` of the images that `run` was trained on (images, channels, height, width), the classes in
    proportion, their labels (images,), and how many it was trained on.
    """
    population = len(task_of(run, data).train)
    count = min(count, population)
    images, labels = task_of(run, data, train=count).train.batch(torch.arange(count), torch.float32)
    return images, labels, population
