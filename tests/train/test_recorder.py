"""What is taken down of a training: the right numbers, and no trace of an attempt that was stopped."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from logged import SHORT, STEPS, attempt, rows, stopped, without_pace
from packs import CPU, LANES, RECIPE, summary, train, training_order

from phase2.models.counting import operations
from phase2.optim import lane_norms
from phase2.task.task import Task
from phase2.train.loop import Training
from phase2.train.recorder import KEPT


def test_logging_changes_no_number(parts: Task, tmp_path: Path):
    plain = train(SHORT, LANES, parts, tmp_path / "plain")
    assert summary(attempt(parts, tmp_path / "logged")) == summary(plain)


def test_every_step_of_every_lane_is_logged_as_the_loop_took_it(parts: Task, tmp_path: Path):
    results = attempt(parts, tmp_path)
    for lane, result in enumerate(results):
        logged = rows(tmp_path, "steps", lane)
        assert [row["step"] for row in logged] == list(range(1, 2 * STEPS + 1))
        trained = [row for row in result.history if row["split"] == "train"]
        for number, epoch in enumerate(trained):
            here = logged[number * STEPS : (number + 1) * STEPS]
            assert sum(row["loss"] for row in here) / STEPS == pytest.approx(epoch["loss"])  # 160 rows by 32
            assert sum(row["grad_norm"] for row in here) / STEPS == pytest.approx(epoch["grad_norm"])
            assert here[-1]["lr"] == epoch["lr"]
        assert all(row["samples_per_second"] > 0 for row in logged)


def test_the_smoothed_loss_is_an_exponential_mean(parts: Task, tmp_path: Path):
    attempt(parts, tmp_path)
    logged = rows(tmp_path, "steps")
    smoothed = logged[0]["loss"]
    for row in logged:
        smoothed = KEPT * smoothed + (1 - KEPT) * row["loss"]
        assert row["smoothed_loss"] == pytest.approx(smoothed, rel=1e-12)


def test_epochs_have_what_the_history_has(parts: Task, tmp_path: Path):
    (result, *_) = attempt(parts, tmp_path)
    logged = rows(tmp_path, "epochs")
    assert [(row["epoch"], row["step"]) for row in logged] == [(1, STEPS), (2, 2 * STEPS)]
    for row, (trained, val) in zip(logged, zip(result.history[::2], result.history[1::2], strict=True), strict=True):
        for name in ("loss", "accuracy"):
            assert (row[f"train_{name}"], row[f"val_{name}"]) == (trained[name], val[name])
        assert row["weight_norm"] == trained["weight_norm"]


def test_norms_and_updates_by_layer_are_those_of_an_epochs_last_step(parts: Task, tmp_path: Path):
    attempt(parts, tmp_path)
    training = Training(SHORT, LANES, parts, CPU, torch.float32)
    for batch in training_order(SHORT, parts, 0).split(SHORT.batch_size):
        before = {name: value.detach().clone() for name, value in training.stack.parameters.items()}
        training.step(batch)
    after = training.stack.parameters
    for lane in range(len(LANES)):
        row = rows(tmp_path, "epochs", lane)[0]
        squares = 0.0
        for layer in ("layers.0", "layers.2", "layers.4"):
            names = [f"{layer}.weight", f"{layer}.bias"]
            norm = lane_norms([after[name].detach() for name in names])
            update = lane_norms([after[name].detach() - before[name] for name in names])
            ratio = update / lane_norms([before[name] for name in names])
            assert row[f"weight_norm/{layer}"] == pytest.approx(norm[lane].item())
            assert row[f"update_ratio/{layer}"] == pytest.approx(ratio[lane].item())
            squares += row[f"weight_norm/{layer}"] ** 2
        assert math.sqrt(squares) == pytest.approx(row["weight_norm"])  # no layer is left out


def test_utilisation_is_three_forward_passes_a_sample_by_the_peak(parts: Task, tmp_path: Path):
    attempt(parts, tmp_path)
    training = Training(RECIPE, LANES, parts, CPU, torch.float32)
    forward = operations(training.stack.base, parts.train.shape)
    for row in rows(tmp_path, "epochs"):
        assert row["flops_per_second"] == pytest.approx(3 * forward * row["samples_per_second"])
        assert row["flop_utilisation"] == pytest.approx(row["flops_per_second"] / row["peak_flops_per_second"])
        assert 0 < row["flop_utilisation"] < 1


@pytest.mark.parametrize("at", [{"save": 3}, {"save": STEPS}, {"save": STEPS + 1}, {"epoch": 1}])
def test_a_stopped_training_goes_on_to_the_rows_of_a_whole_one(at: dict[str, int], parts: Task, tmp_path: Path):
    """Its last step was logged and its checkpoint not written; or an epoch was, and what followed it was not."""
    attempt(parts, tmp_path / "whole")
    stopped(parts, tmp_path / "stopped", **at)
    assert len(rows(tmp_path / "stopped", "steps")) == at.get("save", STEPS)
    attempt(parts, tmp_path / "stopped")
    for table in ("steps", "epochs"):
        for lane in range(len(LANES)):
            ours, theirs = (rows(tmp_path / name, table, lane) for name in ("stopped", "whole"))
            assert without_pace(ours) == without_pace(theirs)


def test_a_row_that_was_half_written_is_written_anew(parts: Task, tmp_path: Path):
    stopped(parts, tmp_path, save=4)
    path = tmp_path / "lane=0" / "steps.csv"
    path.write_text(path.read_text()[:-7])
    attempt(parts, tmp_path)
    assert [row["step"] for row in rows(tmp_path, "steps")] == list(range(1, 2 * STEPS + 1))


def test_a_lane_that_diverged_is_logged_as_long_as_it_lived(parts: Task, tmp_path: Path):
    lanes = [LANES[0], replace(LANES[1], schedule="constant", lr=1e30, weight_decay=1e30)]
    _, diverged = attempt(parts, tmp_path, lanes=lanes)
    assert [row["step"] for row in rows(tmp_path, "steps", 1)] == list(range(1, diverged.diverged_step + 1))
    assert len(rows(tmp_path, "steps", 0)) == 2 * STEPS
    assert not (tmp_path / "lane=1" / "epochs.csv").exists()


def test_where_an_attempt_was_stopped_between_an_epochs_last_step_and_its_row_updates_are_not_told(
    parts: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    attempt(parts, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(Training, "end_epoch", stop)
        with pytest.raises(KeyboardInterrupt):
            attempt(parts, tmp_path / "stopped")
    attempt(parts, tmp_path / "stopped")
    (ours, *rest), (theirs, *others) = (without_pace(rows(tmp_path / name, "epochs")) for name in ("stopped", "whole"))
    untold = {name for name in ours if name.startswith("update_ratio/")}
    assert all(math.isnan(ours[name]) for name in untold)
    told = ours.keys() - untold
    assert {name: ours[name] for name in told} == {name: theirs[name] for name in told}
    assert rest == others


def stop(training: Any) -> None:
    raise KeyboardInterrupt
