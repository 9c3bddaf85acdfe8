"""The same bits: in fresh processes, and after a training was killed and started again."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
import torch
from packs import LANES, clipped, recipe, summary, train

from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.task.task import Task

HERE = Path(__file__).parent
KILL_POINTS = ("step:3", "epoch:1", "save:4", "step:2", "epoch:1", "save:1", "step:6")


def in_a_process(folder: Path, prepared: Prepared, *kill_points: str) -> list[dict]:
    """The summary of a training in a fresh process, that is killed at each of the points before."""
    out = folder / "summary.json"
    command = [sys.executable, HERE / "train_worker.py", prepared.folder, folder / "work", out, *kill_points]
    paths = {"PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parent, HERE.parents[1])))}
    subprocess.run(command, check=True, env=os.environ | paths, timeout=60)
    return json.loads(out.read_text())


def test_a_seed_gives_the_same_bits_in_fresh_processes_killed_or_not(
    tmp_path_factory: pytest.TempPathFactory, prepared: Prepared, parts: Task, tmp_path: Path
):
    """Killed in the middle of an epoch, between epochs, and half-way through writing a checkpoint."""
    folders = [tmp_path_factory.mktemp(name) for name in ("first", "killed")]
    first = in_a_process(folders[0], prepared)
    assert in_a_process(folders[1], prepared, *KILL_POINTS) == first
    here = train(recipe(epochs=4), clipped(LANES, 1.0), parts, tmp_path, keep_epochs=range(1, 5))
    assert summary(here) == first
    assert {len(lane["weights"]) for lane in first} == {5}  # the best, and four epochs


ADAM = recipe(optimizer="adam", optimizer_options={"amsgrad": True}, activation="relu", norm="batch", dropout=0.2)
WITH_DIVERGED = [LANES[0], replace(LANES[1], schedule="constant", lr=1e30), LANES[2]]


@pytest.fixture
def interrupted(tmp_path: Path, parts: Task) -> Path:
    """A work folder whose training was stopped after its first epoch, with Adam and a lane that had diverged."""
    stop = mock.Mock(side_effect=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        train(ADAM, WITH_DIVERGED, parts, tmp_path, checkpoint_seconds=0, progress=stop)
    return tmp_path


def test_adam_dropout_running_statistics_and_a_diverged_lane_resume_to_the_same_bits(interrupted: Path, parts: Task):
    resumed = train(ADAM, WITH_DIVERGED, parts, interrupted)
    whole = train(ADAM, WITH_DIVERGED, parts, interrupted / "other")
    assert summary(resumed) == summary(whole)
    assert [result.status for result in whole] == ["ok", "diverged", "ok"]


def test_the_time_of_earlier_attempts_counts(interrupted: Path, parts: Task):
    before = torch.load(interrupted / "state.pt", weights_only=True)["state"]["seconds"]
    (first, *_) = train(ADAM, WITH_DIVERGED, parts, interrupted)
    assert first.seconds * 3 > before > 0


def test_a_checkpoint_holds_tensors_and_plain_values_alone(interrupted: Path):
    content = torch.load(interrupted / "state.pt", weights_only=True)
    assert set(content) == {"state", "weights", "optimizer"}
    assert content["state"]["step"] == 5


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"nonsense" * 100])
def test_a_damaged_checkpoint_is_named_with_the_way_out(damage, interrupted: Path, parts: Task):
    path = interrupted / "state.pt"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"checkpoint .*/state\.pt is damaged \(\w+\): delete it to start again"):
        train(ADAM, WITH_DIVERGED, parts, interrupted)
