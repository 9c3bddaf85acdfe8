"""The loop knows no accuracy: it keeps the best by the task's first metric, and weighs by what a task counts."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from packs import CPU, LANES, recipe, train
from torch import Tensor

from phase2.nn import cross_entropy
from phase2.task.images import Images
from phase2.task.task import Metric, Task
from phase2.train.loop import Training


def wrong(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.argmax(-1) != targets).sum()


@dataclass(frozen=True)
class Masked(Images):
    """Images of which only those of the classes above 0 count."""

    def counted(self, targets: Tensor) -> int:
        return int((targets > 0).sum())


def masked_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(outputs[targets > 0], targets[targets > 0])


def masked_right(outputs: Tensor, targets: Tensor) -> Tensor:
    return ((outputs.argmax(-1) == targets) & (targets > 0)).sum()


def test_the_best_epoch_has_the_least_of_a_metric_that_should_be_low(parts: Task, tmp_path: Path):
    task = replace(parts, metrics=(Metric("error", wrong, higher_is_better=False), *parts.metrics))
    for result in train(recipe(epochs=6), LANES, task, tmp_path):
        rows = [row for row in result.history if row["split"] == "val"]
        errors = [row["error"] for row in rows]
        assert result.best["epoch"] == int(np.argmin(errors)) + 1
        assert result.best["val_error"] == min(errors)
        assert [row["accuracy"] for row in rows] == pytest.approx([1 - error for error in errors])
        assert result.final["test_error"] == pytest.approx(1 - result.final["test_accuracy"])


def test_sums_are_weighed_by_what_is_counted_and_not_by_rows(parts: Task):
    train_part = Masked(**vars(parts.train))
    metric = Metric("hits", masked_right, higher_is_better=True)
    task = replace(parts, train=train_part, objective=masked_loss, metrics=(metric,))
    training = Training(recipe(), LANES[:1], task, CPU, torch.float64)
    losses, hits, counts = [], [], []
    for rows in torch.arange(160).split(48):  # the last is shorter
        images, labels = train_part.batch(rows, torch.float64)
        loss, totals = training.stack.measure(images, labels)
        losses.append(loss.item())
        hits.append(totals["hits"].item())
        counts.append(int((labels > 0).sum()))
        training.step(rows)
    training.state.seconds = 1.0
    training.end_epoch()
    row = training.state.history[0][0]
    assert row["loss"] == pytest.approx(np.average(losses, weights=counts), rel=1e-12)
    assert row["hits"] == pytest.approx(sum(hits) / sum(counts), rel=1e-12)
