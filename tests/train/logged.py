"""Trainings with loggers, stopped or not, and what they logged, for the tests of both."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from packs import LANES, recipe, train

from phase2.task.task import Task
from phase2.train.logs.logger import About
from phase2.train.loop import LaneResult
from phase2.train.recipe import Lane
from phase2.train.recorder import Recorder
from phase2.train.watch import Watch, Watches

SHORT = recipe(epochs=2)
STEPS = 5  # an epoch
PACE = ("samples_per_second", "flops_per_second", "peak_flops_per_second", "flop_utilisation")


class Stop(Watch):
    """Stops a training just before the checkpoint after a step is written, or at the end of an epoch."""

    def __init__(self, save: int = 0, epoch: int = 0):
        self.at = (save, epoch)

    def save(self, training: Any) -> None:
        if training.state.step == self.at[0]:
            raise KeyboardInterrupt

    def epoch(self, training: Any) -> None:
        if training.state.epoch == self.at[1]:
            raise KeyboardInterrupt


def attempt(
    parts: Task, root: Path, names: Sequence[str] = (), stop: Watch | None = None, lanes: list[Lane] = LANES
) -> list[LaneResult]:
    """Trains a pack with loggers, from where an earlier attempt in `root` was stopped."""
    folders = [root / f"lane={n}" for n in range(len(lanes))]
    about = [About("test", f"grid/lane={n}", {"seed": 3}) for n in range(len(lanes))]
    with Recorder(names, folders, about) as recorder:
        watch = Watches([recorder, stop or Watch()])
        return train(SHORT, lanes, parts, root / "work", checkpoint_seconds=0, watch=watch)


def stopped(parts: Task, root: Path, names: Sequence[str] = (), **at: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        attempt(parts, root, names, Stop(**at))


def rows(root: Path, table: str, lane: int = 0) -> list[dict[str, float]]:
    with open(root / f"lane={lane}" / f"{table}.csv", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def without_pace(table: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name not in PACE} for row in table]
