"""Progressive resizing: which epoch sees which size, and that what cannot be is told before training."""

from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
import torch
from packs import CPU, LANES, RECIPE, recipe, summary, train
from torch.nn.functional import avg_pool2d

from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.task.images import open_images
from phase2.task.task import Task
from phase2.train.loop import Training
from phase2.train.recipe import Recipe
from phase2.train.resizing import resized

IMAGES = torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(0))
CONV = replace(RECIPE, model="cifar_resnet", model_options={"depth": 8, "width": 4}, optimizer_options={})


def sized(sizes: dict[int, int], of: Recipe = CONV) -> Recipe:
    return replace(of, sizes=sizes, epochs=3)


def test_an_epoch_has_the_size_of_the_last_entry_up_to_it():
    sizes = {2: 4, 5: 6, 9: 8}
    shapes = [resized(IMAGES, sizes, epoch).shape[-1] for epoch in range(11)]
    assert shapes == [8, 8, 4, 4, 4, 6, 6, 6, 6, 8, 8]


def test_smaller_images_are_means_and_those_of_their_own_size_as_they_are():
    torch.testing.assert_close(resized(IMAGES, {0: 4}, 0), avg_pool2d(IMAGES, 2))
    assert torch.equal(resized(IMAGES, {0: 8}, 0), IMAGES)
    assert resized(IMAGES, {}, 3) is IMAGES


def test_training_sees_the_sizes_and_all_else_the_images_own(prepared: Prepared, tmp_path: Path, monkeypatch):
    seen: list[tuple[bool, int]] = []

    class Watched(Training):
        def __init__(self, *given, **named):
            super().__init__(*given, **named)
            self.stack.base.register_forward_pre_hook(
                lambda module, inputs: seen.append((module.training, inputs[0].shape[-1]))
            )

    monkeypatch.setattr("phase2.train.loop.Training", Watched)
    parts = open_images(prepared, 40, None, CPU, augment="crop_flip")
    (result,) = train(sized({0: 4, 1: 6, 2: 8}), LANES[:1], parts, tmp_path)
    assert result.status == "ok"
    assert [size for training, size in seen if training] == [4] * 5 + [6] * 5 + [8] * 5
    assert {size for training, size in seen if not training} == {8}


def test_sizes_that_are_the_images_own_change_nothing(parts: Task, tmp_path: Path):
    own, none = (train(sized(sizes), LANES[:2], parts, tmp_path / str(len(sizes))) for sizes in ({0: 8}, {}))
    assert summary(own) == summary(none)


def test_a_resumed_training_goes_on_at_its_size(prepared: Prepared, tmp_path: Path):
    parts = open_images(prepared, 40, None, CPU, augment="translate+cutout+mixup", augment_options={"hole": 3})
    sizes = sized({0: 4, 1: 8})
    whole = train(sizes, LANES[:1], parts, tmp_path / "whole")
    step, left = Training.step, iter([True] * 7)  # it ends in the middle of the second epoch

    def some(self: Training, rows: torch.Tensor) -> None:
        if not next(left, False):
            raise KeyboardInterrupt
        step(self, rows)

    with mock.patch.object(Training, "step", some), pytest.raises(KeyboardInterrupt):
        train(sizes, LANES[:1], parts, tmp_path / "killed", checkpoint_seconds=0)
    assert summary(train(sizes, LANES[:1], parts, tmp_path / "killed")) == summary(whole)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (sized({0: 4}, recipe()), "the model mlp takes no images of 4 pixels a side"),
        (sized({0: 9}), r"expected at most the 8 pixels a side that the images have \(found 9\)"),
        (
            sized({0: 4}, replace(CONV, model_options=CONV.model_options | {"head": "dense"})),
            "the model cifar_resnet",
        ),
    ],
)
def test_a_size_that_cannot_be_is_told_before_training(wrong: Recipe, message: str, parts: Task):
    with pytest.raises(UserError, match=f"budget.sizes: {message}"):
        Training(wrong, LANES[:1], parts, CPU, torch.float32)
