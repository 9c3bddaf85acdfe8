"""What a training reports, and from which part of the data."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from packs import CPU, LANES, largest_difference, recipe, train

from phase2 import registry
from phase2.data.prepared import Prepared
from phase2.task.images import Images, open_images
from phase2.task.task import Task
from phase2.train import loop
from phase2.train.lanes import Stack, evaluate
from phase2.train.loop import LaneResult, Training
from phase2.train.recipe import Lane

NOISY = [replace(lane, lr=0.3, schedule="constant") for lane in LANES]  # accuracy goes up and down


@pytest.fixture(scope="module")
def results(parts: Task, tmp_path_factory: pytest.TempPathFactory) -> list[LaneResult]:
    return train(recipe(epochs=6), NOISY, parts, tmp_path_factory.mktemp("kept"), keep_epochs=range(1, 7))


def stack_of(parts: Task, weights: dict[str, torch.Tensor]) -> Stack:
    """One lane with these weights."""
    stack = Training(recipe(), LANES[:1], parts, CPU, torch.float32).stack
    stack.load({name: value.unsqueeze(0) for name, value in weights.items()})
    return stack


def test_the_parts_are_disjoint_and_standardised_alike(prepared: Prepared):
    parts = open_images(prepared, 40, 100, CPU)
    train_rows, val_rows = set(parts.train.index.tolist()), set(parts.val.index.tolist())
    assert (len(train_rows), len(val_rows), len(parts.test)) == (100, 40, 60)
    assert not train_rows & val_rows
    assert parts.test.images.data_ptr() != parts.train.images.data_ptr()
    images, labels = parts.val.batch(torch.tensor([3, 0]), torch.float64)
    rows = parts.val.index[[3, 0]].numpy()
    used = prepared.arrays["train_images"][parts.train.index.numpy()] / 255  # neither held out nor left over
    scaled = prepared.arrays["train_images"][rows] / 255
    np.testing.assert_allclose(images, (scaled - used.mean()) / used.std(), atol=1e-6)
    assert labels.tolist() == prepared.arrays["train_labels"][rows].tolist()


def test_images_stay_memory_mapped_and_unchanged(prepared: Prepared, parts: Task):
    before = prepared.arrays["train_images"].copy()
    parts.train.batch(torch.arange(10), torch.float32)
    np.testing.assert_array_equal(prepared.arrays["train_images"], before)


def test_the_test_part_is_read_by_results_alone(parts: Task, monkeypatch: pytest.MonkeyPatch):
    read: list[str] = []
    batch = Images.batch
    names = {id(parts.train): "train", id(parts.val): "val", id(parts.test): "test"}
    monkeypatch.setattr(
        Images, "batch", lambda self, rows, dtype: (read.append(names[id(self)]), batch(self, rows, dtype))[1]
    )
    training = Training(recipe(), LANES, parts, CPU, torch.float32)
    for rows in torch.arange(160).split(32):
        training.step(rows)
    training.state.seconds = 1.0
    training.end_epoch()
    assert set(read) == {"train", "val"}
    read.clear()
    training.results()
    assert read == ["train", "test"]  # the last weights, which are the best
    read.clear()
    training.state.best_epoch -= 1
    training.results()
    assert read == ["train", "test", "test"]  # the last weights, and the best


def test_the_best_epoch_is_the_first_best_on_validation(results: list[LaneResult], parts: Task):
    for result in results:
        accuracies = [row["accuracy"] for row in result.history if row["split"] == "val"]
        assert result.best["epoch"] == int(np.argmax(accuracies)) + 1
        assert result.best["val_accuracy"] == max(accuracies)
        best = result.weights["best"]
        assert largest_difference(best, result.weights[f"epoch={result.best['epoch']:02d}"]) == 0
        loss, accuracy = evaluate(stack_of(parts, best), parts.test, torch.float32).values()
        assert result.best["test_loss"] == pytest.approx(loss.item(), rel=1e-5)
        assert result.best["test_accuracy"] == accuracy.item()
    assert any(result.best["epoch"] < 6 for result in results)


def test_the_final_metrics_are_those_of_the_last_epoch(results: list[LaneResult], parts: Task):
    for result in results:
        stack = stack_of(parts, result.weights["epoch=06"])
        for part, rows in (("train", parts.train), ("val", parts.val), ("test", parts.test)):
            loss, accuracy = evaluate(stack, rows, torch.float32).values()
            assert result.final[f"{part}_loss"] == pytest.approx(loss.item(), rel=1e-5)
            assert result.final[f"{part}_accuracy"] == accuracy.item()
        assert result.final["train_loss"] != result.history[-2]["loss"]  # which is of networks on the way


def test_weights_of_every_epoch_are_kept_if_asked_for(results: list[LaneResult], parts: Task, tmp_path: Path):
    names = ["best", *(f"epoch={epoch:02d}" for epoch in range(1, 7))]
    assert all(list(result.weights) == names for result in results)
    (alone, *_) = train(recipe(epochs=2), LANES, parts, tmp_path)
    assert list(alone.weights) == ["best"]


def test_history_has_a_row_an_epoch_and_split(results: list[LaneResult]):
    rows = [(row["epoch"], row["step"], row["split"]) for row in results[0].history]
    assert rows == [(e, 5 * e, split) for e in range(1, 7) for split in ("train", "val")]
    assert all(row["samples_per_second"] > 0 for row in results[0].history)


@pytest.mark.parametrize("schedule", registry.names("schedule"))
def test_the_learning_rate_in_the_history_is_the_schedules(schedule: str, parts: Task, tmp_path: Path):
    lanes = [Lane("kaiming", schedule, lr) for lr in (0.05, 0.01)]
    function = registry.load("schedule", schedule)
    for lane, result in zip(lanes, train(recipe(), lanes, parts, tmp_path, torch.float64), strict=True):
        assert [row["lr"] for row in result.history[::2]] == [function(s - 1, 20, lane.lr) for s in (5, 10, 15, 20)]


def test_norms_in_the_history_are_means_over_the_steps_and_those_of_the_lane(parts: Task):
    training = Training(recipe(epochs=1), LANES, parts, CPU, torch.float64)
    parameters = list(training.stack.parameters.values())
    norms = []
    for rows in torch.arange(160).split(32):
        losses, _ = training.stack.measure(*parts.train.batch(rows, torch.float64))
        gradients = torch.autograd.grad(losses.sum(), parameters)
        norms.append(torch.cat([g.flatten(1) for g in gradients], 1).norm(dim=1))
        training.step(rows)
    training.state.seconds = 1.0
    training.end_epoch()
    weights = torch.cat([p.detach().flatten(1) for p in parameters], 1).norm(dim=1)
    for lane, rows in enumerate(training.state.history):
        assert rows[0]["grad_norm"] == pytest.approx(torch.stack(norms).mean(0)[lane].item(), rel=1e-12)
        assert rows[0]["weight_norm"] == pytest.approx(weights[lane].item(), rel=1e-12)


def test_the_training_loss_is_the_mean_over_the_epochs_images(parts: Task):
    """Of each image as it was seen: the smaller last batch weighs by its images."""
    training = Training(recipe(batch_size=100, epochs=1), LANES, parts, CPU, torch.float64)
    total, right = torch.zeros(3, dtype=torch.float64), torch.zeros(3)
    for rows in torch.arange(160).split(100):
        losses, totals = training.stack.measure(*parts.train.batch(rows, torch.float64))
        total += losses.detach() * len(rows)
        right += totals["accuracy"]
        training.step(rows)
    training.state.seconds = 1.0
    training.end_epoch()
    for lane, rows in enumerate(training.state.history):
        assert rows[0]["loss"] == pytest.approx(total[lane].item() / 160, rel=1e-12)
        assert rows[0]["accuracy"] == pytest.approx(right[lane].item() / 160)


def test_the_network_trains_in_training_mode_and_is_measured_in_evaluation_mode(
    parts: Task, monkeypatch: pytest.MonkeyPatch
):
    modes: list[bool] = []
    losses = Stack.measure
    monkeypatch.setattr(
        Stack, "measure", lambda self, *batch: (modes.append(self.base.training), losses(self, *batch))[1]
    )
    training = Training(recipe(), LANES, parts, CPU, torch.float32)
    for _ in range(2):
        training.step(torch.arange(32))
        evaluate(training.stack, parts.val, torch.float32)
    assert modes == [True, False, True, False]


def test_progress_hears_the_fraction_after_each_epoch(parts: Task, tmp_path: Path):
    heard: list[float] = []
    train(recipe(), LANES, parts, tmp_path, progress=heard.append)
    assert heard == [0.25, 0.5, 0.75, 1.0]


def test_a_checkpoint_is_written_no_oftener_than_asked(parts: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    steps: list[int] = []
    monkeypatch.setattr(loop.checkpoint, "save", lambda path, state, *rest: steps.append(state.step))
    train(recipe(), LANES, parts, tmp_path, checkpoint_seconds=3600)
    assert steps == []
    train(recipe(), LANES, parts, tmp_path, checkpoint_seconds=0)
    assert steps == list(range(1, 21))
