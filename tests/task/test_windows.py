"""Crops, shifts and mirrors: what may happen to a training image, and that it happens as often as torchvision's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chi2_contingency
from torch import Tensor
from torchvision.transforms import v2

from phase2.errors import UserError
from phase2.task.augmentation.alternating_flip import alternating_flip
from phase2.task.augmentation.crop_flip import crop_flip
from phase2.task.augmentation.flip import flip
from phase2.task.augmentation.reflect_crop_flip import reflect_crop_flip
from phase2.task.augmentation.translate import translate
from phase2.task.draws import Draws

COUNT = 200
IMAGES = torch.rand(COUNT, 2, 5, 6, generator=torch.Generator().manual_seed(0)) + 1
LABELS = torch.arange(COUNT)
WINDOWS = {  # the part, how far it moves, how images go on over their edges
    "crop_flip": (crop_flip, 4, "constant"),
    "reflect_crop_flip": (reflect_crop_flip, 4, "reflect"),
    "translate": (translate, 2, "reflect"),
}


def drawn(part: Callable, seed: int = 0, epoch: int = 0, images: Tensor = IMAGES, **options: Any) -> Tensor:
    return part(images, LABELS[: len(images)], Draws(seed, epoch, torch.arange(len(images))), **options)[0]


def shifts_of(image: Tensor, original: Tensor, most: int, mode: str) -> list[tuple[int, int, int]]:
    """All (down, right, mirrored) that make `image` of `original`."""
    padded = torch.nn.functional.pad(original[None], (most,) * 4, mode)[0]
    height, width = original.shape[1:]
    found = []
    for down in range(2 * most + 1):
        for right in range(2 * most + 1):
            crop = padded[:, down : down + height, right : right + width]
            sides = enumerate((crop, crop.flip(2)))
            found += [(down, right, turn) for turn, shown in sides if torch.equal(image, shown)]
    return found


@pytest.mark.parametrize("name", WINDOWS)
def test_every_image_is_a_window_of_its_padded_self_and_maybe_mirrored(name: str):
    part, most, mode = WINDOWS[name]
    shifts = [shifts_of(image, original, most, mode) for image, original in zip(drawn(part), IMAGES, strict=True)]
    assert all(shifts)
    seen = {shift for found in shifts for shift in found}
    assert {down for down, _, _ in seen} == {right for _, right, _ in seen} == set(range(2 * most + 1))
    if part is crop_flip:  # a window of reflections may be one of the mirror image, too
        assert 70 < sum(all(turn for _, _, turn in found) for found in shifts) < 130
    if part is translate:
        assert all(any(not turn for _, _, turn in found) for found in shifts)


TORCHVISION = {
    "crop_flip": [v2.RandomCrop((6, 7), padding=4), v2.RandomHorizontalFlip()],
    "reflect_crop_flip": [v2.RandomCrop((6, 7), padding=4, padding_mode="reflect"), v2.RandomHorizontalFlip()],
    "translate": [v2.RandomCrop((6, 7), padding=2, padding_mode="reflect")],
    "flip": [v2.RandomHorizontalFlip()],
    "alternating_flip": [v2.RandomHorizontalFlip()],
}


@pytest.mark.parametrize("name", TORCHVISION)
def test_what_happens_to_an_image_is_as_likely_as_by_torchvision(name: str):
    part = {"flip": flip, "alternating_flip": alternating_flip}.get(name) or WINDOWS[name][0]
    one, count = torch.arange(1.0, 43).view(1, 6, 7), 6000
    ours = part(one.expand(count, 1, 6, 7), torch.zeros(count), Draws(0, 0, torch.arange(count)))[0]
    transform = v2.Compose(TORCHVISION[name])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = torch.stack([transform(one) for _ in range(count)])
    outcomes, which = torch.cat([ours, theirs]).flatten(1).unique(dim=0, return_inverse=True)
    counts = torch.stack([torch.bincount(each, minlength=len(outcomes)) for each in which.split(count)])
    assert chi2_contingency(counts.numpy()).pvalue > 1e-3


@pytest.mark.parametrize("name", WINDOWS)
def test_one_seed_and_epoch_give_one_outcome_and_others_another(name: str):
    part = WINDOWS[name][0]
    assert torch.equal(drawn(part, 3, 1), drawn(part, 3, 1))
    assert not torch.equal(drawn(part, 3, 1), drawn(part, 4, 1))
    assert not torch.equal(drawn(part, 3, 1), drawn(part, 3, 2))


def test_zeros_and_reflections_come_in_at_the_same_crops():
    zeros, reflected = drawn(crop_flip), drawn(reflect_crop_flip)
    inside = zeros != 0
    assert torch.equal(zeros[inside], reflected[inside])
    assert inside.all(1).sum() < inside.all(1).numel()


def mirrored_in(epoch: int) -> np.ndarray:
    shown = drawn(alternating_flip, 5, epoch)
    each = torch.tensor([torch.equal(a, b.flip(-1)) for a, b in zip(shown, IMAGES, strict=True)])
    assert torch.equal(shown[~each], IMAGES[~each])
    return each.numpy()


def test_an_alternating_flip_shows_both_sides_in_any_two_epochs_in_a_row():
    first, *others = (mirrored_in(epoch) for epoch in range(4))
    assert 70 < first.sum() < 130
    assert [(each == first).all() or (each != first).all() for each in others] == [True] * 3
    assert [(each == first).all() for each in others] == [False, True, False]


def test_the_first_epoch_of_an_alternating_flip_is_that_of_a_flip():
    assert torch.equal(drawn(alternating_flip, 5, 0), drawn(flip, 5, 0))


@pytest.mark.parametrize(("name", "option"), [("crop_flip", "padding"), ("translate", "shift")])
def test_an_image_moves_as_far_as_it_is_told(name: str, option: str):
    part, _, mode = WINDOWS[name]
    seen = {
        shift[:2]
        for image, original in zip(drawn(part, **{option: 1}), IMAGES, strict=True)
        for shift in shifts_of(image, original, 1, mode)
    }
    assert seen == {(down, right) for down in range(3) for right in range(3)}
    still = drawn(part, **{option: 0})
    assert all(shifts_of(image, original, 0, mode) for image, original in zip(still, IMAGES, strict=True))


@pytest.mark.parametrize("number", [-1, 1.5])
def test_a_distance_that_is_none_is_told(number: float):
    with pytest.raises(UserError, match=f"moved by up to {number} pixels: expected a whole number"):
        drawn(translate, shift=number)


def test_an_image_smaller_than_its_padding_is_reflected_again_and_again():
    narrow = torch.tensor([0.0, 1, 2]).expand(COUNT, 1, 1, 3)
    line = torch.tensor([0.0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2])  # from 4 to the left of the image
    shown = {tuple(image.flatten().tolist()) for image in drawn(translate, images=narrow, shift=4)}
    assert shown == {tuple(line[start : start + 3].tolist()) for start in range(9)}


def test_images_and_labels_stay_as_they_were():
    before = IMAGES.clone()
    for part in (crop_flip, reflect_crop_flip, translate, flip, alternating_flip):
        _, labels = part(IMAGES, LABELS, Draws(5, 0, LABELS))
        assert labels is LABELS
    assert torch.equal(IMAGES, before)
