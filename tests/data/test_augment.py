"""Augmentation: what may happen to a training image, and that it repeats."""

import torch

from phase2.task.augmentation.crop_flip import PADDING, crop_flip

IMAGES = torch.rand(200, 2, 5, 6, generator=torch.Generator().manual_seed(0)) + 1


def drawn(seed: int) -> torch.Tensor:
    return crop_flip(IMAGES, torch.Generator().manual_seed(seed))


def shifts_of(image: torch.Tensor, original: torch.Tensor) -> list[tuple[int, int, int]]:
    """All (down, right, mirrored) that make `image` of `original`."""
    padded = torch.nn.functional.pad(original, (PADDING,) * 4)
    height, width = original.shape[1:]
    found = []
    for down in range(2 * PADDING + 1):
        for right in range(2 * PADDING + 1):
            crop = padded[:, down : down + height, right : right + width]
            found += [
                (down, right, flip) for flip, shown in enumerate((crop, crop.flip(2))) if torch.equal(image, shown)
            ]
    return found


def test_every_image_is_a_crop_of_its_padded_self_and_maybe_mirrored():
    shifts = [shifts_of(image, original) for image, original in zip(drawn(0), IMAGES, strict=True)]
    assert all(shifts)
    seen = {shift for found in shifts for shift in found}
    assert {down for down, _, _ in seen} == {right for _, right, _ in seen} == set(range(2 * PADDING + 1))
    mirrored = sum(all(flip for _, _, flip in found) for found in shifts)
    assert 70 < mirrored < 130


def test_one_generator_gives_one_outcome():
    assert torch.equal(drawn(3), drawn(3))
    assert not torch.equal(drawn(3), drawn(4))


def test_images_stay_as_they_were():
    before = IMAGES.clone()
    drawn(5)
    assert torch.equal(IMAGES, before)
