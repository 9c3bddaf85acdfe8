"""What a task makes of its images: permuted pixels, and augmentation that pairs and resumes."""

from dataclasses import replace

import pytest
import torch
from packs import CPU, LANES, recipe

from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.task.augmentation.crop_flip import crop_flip
from phase2.task.images import open_images
from phase2.task.task import Task
from phase2.train.loop import Training

ROWS = torch.arange(20)


def opened(prepared: Prepared, pixels: str) -> Task:
    return open_images(prepared, 40, None, CPU, pixels=pixels)


def test_permuted_pixels_are_in_one_order_for_all_images_of_all_parts(prepared: Prepared):
    parts = {pixels: opened(prepared, pixels) for pixels in ("natural", "permuted")}

    def flat(pixels: str, part: str) -> torch.Tensor:
        return getattr(parts[pixels], part).batch(ROWS, torch.float64)[0].flatten(1)

    order = parts["permuted"].train.order
    assert order is not None
    assert sorted(order.tolist()) == list(range(64)) != order.tolist()
    for part in ("train", "val", "test"):
        assert torch.equal(flat("permuted", part), flat("natural", part)[:, order])
    assert torch.equal(opened(prepared, "permuted").test.order, order)


def test_labels_stay_with_their_images(prepared: Prepared):
    natural, permuted = opened(prepared, "natural").train, opened(prepared, "permuted").train
    assert torch.equal(natural.batch(ROWS, torch.float32)[1], permuted.batch(ROWS, torch.float32)[1])


def seen(training: Training, monkeypatch) -> list[torch.Tensor]:
    inputs: list[torch.Tensor] = []
    losses = training.stack.measure
    monkeypatch.setattr(training.stack, "measure", lambda x, y: (inputs.append(x), losses(x, y))[1], raising=False)
    for training.state.epoch in (0, 1):
        training.step(ROWS)
    return inputs


def test_augmentation_is_drawn_anew_each_epoch_and_alike_for_all_cells_of_a_seed(parts: Task, monkeypatch):
    augmented = replace(parts, augment=crop_flip)
    first = seen(Training(recipe(), LANES, augmented, CPU, torch.float32), monkeypatch)
    other = seen(Training(recipe(activation="relu", depth=1), LANES[:1], augmented, CPU, torch.float32), monkeypatch)
    assert all(map(torch.equal, first, other))
    assert not torch.equal(*first)
    elsewhere = seen(Training(recipe(seed=9), LANES, augmented, CPU, torch.float32), monkeypatch)
    assert not torch.equal(first[0], elsewhere[0])


def test_fewer_test_images_are_some_of_all_with_the_classes_in_proportion(prepared: Prepared):
    whole, some = (open_images(prepared, 40, None, CPU, test=count).test for count in (None, 30))
    assert len(whole) == 60
    assert len(some) == len(set(some.index.tolist())) == 30
    counts = [torch.bincount(part.batch(torch.arange(len(part)), torch.float32)[1]) for part in (whole, some)]
    assert (counts[0] / 2 - counts[1]).abs().max() <= 1
    with pytest.raises(UserError, match="test=61: expected at most the 60 test images"):
        open_images(prepared, 40, None, CPU, test=61)


def test_smaller_images_are_means_of_the_pixels_that_they_stand_for(prepared: Prepared):
    whole, small = (open_images(prepared, 40, None, CPU, size=size).train for size in (None, 4))
    assert (whole.shape, small.shape, small.features) == ((1, 8, 8), (1, 4, 4), 16)
    images = whole.batch(ROWS, torch.float64)[0]
    means = images.unflatten(3, (4, 2)).mean(4).unflatten(2, (4, 2)).mean(3)
    torch.testing.assert_close(small.batch(ROWS, torch.float64)[0], means)
    order = open_images(prepared, 40, None, CPU, size=4, pixels="permuted").train.order
    assert order is not None
    assert sorted(order.tolist()) == list(range(16))


def test_a_size_that_the_images_do_not_have_is_refused(prepared: Prepared):
    with pytest.raises(UserError, match="size=9: expected at most the 8 pixels a side that the images have"):
        open_images(prepared, 40, None, CPU, size=9)
