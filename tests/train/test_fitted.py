"""A network that measures what it does not learn: on images of all classes, before training, and once."""

from pathlib import Path

import numpy as np
import pytest
import torch
from packs import CPU, train

from phase2.data.prepared import open_prepared, write
from phase2.models.airbench import Airbench
from phase2.task.images import open_images
from phase2.task.task import Task
from phase2.train import lanes
from phase2.train.lanes import initialized
from phase2.train.loop import Training
from phase2.train.recipe import Lane, Recipe

LANE = Lane("dirac", "triangle", 0.1)
FAST = Recipe("airbench", {"width": 2, "activation": "gelu"}, "sgd", 16, 2, 0, {"momentum": 0.85, "nesterov": True})


@pytest.fixture(scope="module")
def by_class(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """Images of 12 pixels that stand class by class, each class at a brightness of its own."""
    draw, arrays = np.random.default_rng(0), {}
    for part, size in (("train", 96), ("test", 24)):
        labels = np.repeat(np.arange(3), size // 3)
        images = draw.integers(0, 60, (size, 3, 12, 12)) + 90 * labels[:, None, None, None]
        arrays |= {f"{part}_images": images.astype(np.uint8), f"{part}_labels": labels}
    folder = tmp_path_factory.mktemp("prepared") / "by_class"
    write(folder, arrays, {"dataset": "by_class", "classes": ["dark", "grey", "light"]})
    return open_images(open_prepared(folder), 24, None, CPU)


def test_it_sees_images_of_all_classes_though_they_stand_class_by_class(
    by_class: Task, monkeypatch: pytest.MonkeyPatch
):
    seen = []
    monkeypatch.setattr(Airbench, "fit_to", lambda self, images: seen.append(images))
    monkeypatch.setattr(lanes, "FITTED_EXAMPLES", 6)
    initialized(FAST, "dirac", by_class, torch.float32)
    (images,) = seen
    brightness = images.flatten(1).mean(1)
    assert len(images) == 6
    assert len(brightness.round().unique()) == 3


def test_what_it_measured_stays_while_it_trains_and_the_rest_moves(by_class: Task):
    training = Training(FAST, [LANE], by_class, CPU, torch.float32)
    before = training.stack.weights()
    for rows in torch.arange(72).split(16):
        training.step(rows)
    after = training.stack.weights()
    assert before["whitening.weight"].abs().sum() > 0
    kept = {name for name in before if torch.equal(before[name], after[name])}
    assert kept == {
        name
        for name in before
        if name == "whitening.weight" or (name.startswith("pairs") and "weight" in name and before[name].dim() == 2)
    }


@pytest.mark.parametrize("init", ["dirac", "kaiming"])
def test_every_initialization_leaves_it_fitted(init: str, by_class: Task):
    model = initialized(FAST, init, by_class, torch.float64)
    expected = initialized(FAST, "xavier", by_class, torch.float64)
    assert torch.equal(model.get_buffer("whitening.weight"), expected.get_buffer("whitening.weight"))


def test_two_lanes_of_it_train_as_each_alone_does(by_class: Task, tmp_path: Path):
    pack = [LANE, Lane("dirac", "triangle", 0.05)]
    together = train(FAST, pack, by_class, tmp_path / "both")
    for lane, ours in zip(pack, together, strict=True):
        (alone,) = train(FAST, [lane], by_class, tmp_path / str(lane.lr))
        assert ours.final == pytest.approx(alone.final, rel=1e-4)
