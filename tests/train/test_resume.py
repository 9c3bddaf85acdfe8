"""The same bits: in fresh processes, and after a training was killed and started again."""

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
import torch
from packs import EVERYTHING, LANES, clipped, everything, recipe, summary, train

from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.task.task import Task
from phase2.train import loop
from phase2.train.recipe import Recipe

HERE = Path(__file__).parent
KILL_POINTS = ("step:3", "epoch:1", "save:4", "step:2", "epoch:1", "save:1", "step:6")


def in_a_process(folder: Path, prepared: Prepared, pack: str, *kill_points: str) -> list[dict]:
    """The summary of a training in a fresh process, that is killed at each of the points before."""
    folder.mkdir(exist_ok=True)
    out = folder / "summary.json"
    command = [sys.executable, HERE / "train_worker.py", prepared.folder, folder / "work", out, pack, *kill_points]
    paths = {"PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parent, HERE.parents[1])))}
    subprocess.run(command, check=True, env=os.environ | paths, timeout=60)
    return json.loads(out.read_text())


def test_a_seed_gives_the_same_bits_in_fresh_processes_killed_or_not(
    tmp_path_factory: pytest.TempPathFactory, prepared: Prepared, parts: Task, tmp_path: Path
):
    """Killed in the middle of an epoch, between epochs, and half-way through writing a checkpoint."""
    folders = [tmp_path_factory.mktemp(name) for name in ("first", "killed")]
    first = in_a_process(folders[0], prepared, "plain")
    assert in_a_process(folders[1], prepared, "plain", *KILL_POINTS) == first
    here = train(recipe(epochs=4), clipped(LANES, 1.0), parts, tmp_path, keep_epochs=range(1, 5))
    assert summary(here) == first
    assert {len(lane["weights"]) for lane in first} == {5}  # the best, and four epochs


@pytest.mark.parametrize("pack", EVERYTHING)
def test_averages_scalers_groups_and_micro_batches_are_killed_and_resumed_to_the_same_bits(
    pack: str, tmp_path: Path, prepared: Prepared
):
    """At points drawn from the pack's name: in an epoch, at its edge, in the one after, or half-way through a save."""
    draw = random.Random(pack)
    points = [f"step:{draw.randint(2, 7)}", f"save:{draw.randint(1, 4)}", f"step:{draw.randint(1, 4)}", "epoch:1"]
    first = in_a_process(tmp_path / "first", prepared, pack)
    assert in_a_process(tmp_path / "killed", prepared, pack, *points) == first
    assert {lane["status"] for lane in first} == {"ok"}


@pytest.mark.parametrize("stop", [4, 5, 6], ids=["in an epoch", "at its edge", "in the epoch after"])
@pytest.mark.parametrize("pack", EVERYTHING)
def test_a_training_stopped_after_any_step_goes_on_to_the_same_bits(
    pack: str, stop: int, parts: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shared, lanes = everything(pack)
    step = loop.Training.step

    def stopping(self: loop.Training, rows: torch.Tensor) -> None:
        if self.state.step == stop:
            raise KeyboardInterrupt
        step(self, rows)

    monkeypatch.setattr(loop.Training, "step", stopping)
    with pytest.raises(KeyboardInterrupt):
        train(shared, lanes, parts, tmp_path / "stopped", checkpoint_seconds=0, keep_epochs=[1])
    monkeypatch.undo()
    whole, resumed = (train(shared, lanes, parts, tmp_path / name, keep_epochs=[1]) for name in ("whole", "stopped"))
    assert summary(resumed) == summary(whole)


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
    assert set(content) == {"state", "weights", "stepper", "average", "of"}
    assert content["state"]["step"] == 5


def flipped(content: bytes) -> bytes:
    """One bit of a weight is another: nothing that a reader of pickles would see."""
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"nonsense" * 100, flipped])
def test_a_damaged_checkpoint_is_named_with_the_way_out(damage, interrupted: Path, parts: Task):
    path = interrupted / "state.pt"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"checkpoint .*/state\.pt is damaged \(\w+\): delete it to start again"):
        train(ADAM, WITH_DIVERGED, parts, interrupted)


class Harmful:
    """An object that would write a file as it is read."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_a_checkpoint_that_holds_code_is_refused_and_nothing_of_it_is_run(interrupted: Path, parts: Task):
    path = interrupted / "state.pt"
    content = torch.load(path, weights_only=True)
    torch.save(content | {"state": Harmful(interrupted / "harm")}, path)
    with pytest.raises(UserError, match=r"checkpoint .* is damaged \(UnpicklingError\): delete it"):
        train(ADAM, WITH_DIVERGED, parts, interrupted)
    assert not (interrupted / "harm").exists()


@pytest.mark.parametrize(
    ("other", "lanes"),
    [(replace(ADAM, seed=9), WITH_DIVERGED), (ADAM, LANES), (recipe(width=5), WITH_DIVERGED)],
    ids=["seed", "lanes", "model"],
)
def test_a_checkpoint_of_another_training_is_refused(other: Recipe, lanes: list, interrupted: Path, parts: Task):
    before = (interrupted / "state.pt").read_bytes()
    with pytest.raises(UserError, match=r"checkpoint .*/state\.pt is of another training: delete it .*or give each"):
        train(other, lanes, parts, interrupted)
    assert (interrupted / "state.pt").read_bytes() == before


def test_one_checkpoint_is_kept_and_holds_the_last_weights_and_the_best(interrupted: Path):
    assert [path.name for path in interrupted.iterdir()] == ["state.pt"]
    content = torch.load(interrupted / "state.pt", weights_only=True)
    assert content["weights"].keys() == content["state"]["best_weights"].keys()
