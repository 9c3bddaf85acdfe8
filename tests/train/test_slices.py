"""A training stops in an epoch when its time is over, and sliced however finely ends with the same bits."""

import math
import time
from dataclasses import replace
from pathlib import Path

from packs import LANES, recipe, summary, train

from phase2.task.task import Task
from phase2.train.loop import LaneResult
from phase2.train.recipe import Recipe
from phase2.train.state import OutOfTime

ADAM = recipe(
    epochs=2, optimizer="adam", optimizer_options={"amsgrad": True}, activation="relu", norm="batch", dropout=0.2
)
WITH_DIVERGED = [LANES[0], replace(LANES[1], schedule="constant", lr=1e30), LANES[2]]


def sliced(recipe: Recipe, parts: Task, work: Path) -> tuple[list[LaneResult], int]:
    """Trained in slices that are over when they begin, and how many were stopped."""
    for stopped in range(100):
        try:
            return train(recipe, WITH_DIVERGED, parts, work, deadline=time.monotonic()), stopped
        except OutOfTime:
            assert (work / "state.pt").exists()
    raise AssertionError("it does not get on")


def test_a_training_in_slices_of_a_step_is_the_uninterrupted_one(parts: Task, tmp_path: Path):
    results, stopped = sliced(ADAM, parts, tmp_path / "sliced")
    assert stopped == 2 * math.ceil(len(parts.train) / ADAM.batch_size)
    whole = train(ADAM, WITH_DIVERGED, parts, tmp_path / "whole")
    assert summary(results) == summary(whole)
    assert [result.status for result in whole] == ["ok", "diverged", "ok"]


def test_a_training_that_ends_in_time_is_not_stopped(parts: Task, tmp_path: Path):
    assert len(train(ADAM, LANES, parts, tmp_path, deadline=time.monotonic() + 600)) == 3
    assert not (tmp_path / "state.pt").exists()
