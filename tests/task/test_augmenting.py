"""Augmentations by name: each image by its own row, several in their order, each with the options it takes."""

import pytest
import torch
from torch import Tensor

from phase2 import registry
from phase2.task.augmenting import augmentation_of
from phase2.task.draws import Draws
from phase2.task.task import Augmentation

pytestmark = pytest.mark.quick

COUNT, CLASSES = 40, 7
KNOWN = {"classes": CLASSES, "mean": torch.full((3, 1, 1), 0.5), "std": torch.full((3, 1, 1), 0.25)}
IMAGES = torch.randn(COUNT, 3, 20, 18, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(COUNT) % CLASSES
MIXING = ("mixup", "cutmix")


def named(names: str, **options: float) -> Augmentation:
    return augmentation_of(names, options, **KNOWN)


def augmented(names: str, rows: Tensor, epoch: int = 1, **options: float) -> tuple[Tensor, Tensor]:
    return named(names, **options)(IMAGES[rows], LABELS[rows], Draws(2, epoch, rows))


@pytest.mark.parametrize("name", registry.names("augmentation"))
def test_an_image_depends_on_its_row_and_on_no_batch(name: str):
    together = augmented(name, torch.arange(COUNT))
    for row in (1, 17, 39):
        rows = torch.tensor([row - 1, row])  # who mixes does so with the row before
        alone = augmented(name, rows if name in MIXING else rows[1:])
        for one, all_of_them in zip(alone, together, strict=True):
            torch.testing.assert_close(one[-1], all_of_them[row], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", registry.names("augmentation"))
def test_the_next_epoch_is_another_and_the_same_repeats(name: str):
    rows = torch.arange(COUNT)
    first, again, other = (augmented(name, rows, epoch)[0] for epoch in (1, 1, 2))
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (name == "none")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", registry.names("augmentation"))
def test_shape_and_type_stay_and_what_was_given_too(name: str, dtype: torch.dtype):
    images, labels = IMAGES.to(dtype), LABELS.clone()
    before = images.clone()
    shown, targets = named(name)(images, labels, Draws(0, 0, torch.arange(COUNT)))
    assert (shown.shape, shown.dtype) == (images.shape, dtype)
    assert targets.shape == ((COUNT, CLASSES) if name in MIXING else (COUNT,))
    assert targets.dtype == (dtype if name in MIXING else torch.int64)
    assert torch.equal(images, before)
    assert torch.equal(labels, LABELS)


@pytest.mark.parametrize("name", registry.names("augmentation"))
def test_channels_last_are_augmented_alike(name: str):
    rows = torch.arange(COUNT)
    last = IMAGES.contiguous(memory_format=torch.channels_last)
    shown = named(name)(last, LABELS, Draws(2, 1, rows))[0]
    torch.testing.assert_close(shown, augmented(name, rows)[0], rtol=0, atol=1e-6)


def test_several_follow_each_other_in_their_order():
    rows = torch.arange(COUNT)
    draws = Draws(2, 1, rows)
    moved_after = named("translate")(*named("cutout", hole=3)(IMAGES, LABELS, draws), draws)[0]
    assert torch.equal(augmented("cutout+translate", rows, hole=3)[0], moved_after)
    assert not torch.equal(augmented("translate+cutout", rows, hole=3)[0], moved_after)


def test_each_is_given_the_options_that_it_takes():
    rows = torch.arange(COUNT)
    assert torch.equal(augmented("flip+cutout", rows, hole=1)[0].eq(0).sum((1, 2, 3)), torch.full((COUNT,), 3))
    assert torch.equal(augmented("flip+translate", rows, shift=0)[0], augmented("flip", rows)[0])
