"""Crops of images that go on as their own reflections, and mirrors."""

from torch import Tensor

from phase2.card import Card, Option
from phase2.task.augmentation.windows import heads, reflected_outside, shifts
from phase2.task.draws import Draws

CARD = Card(
    "augmentation",
    "reflect_crop_flip",
    label="reflecting crop and flip",
    definition="padded by 4 reflected pixels a side, cropped at random to its size, and mirrored with probability 1/2",
    order=3,
    options={"padding": Option("reflected pixels on every side")},
)


def reflect_crop_flip(images: Tensor, targets: Tensor, draws: Draws, padding: int = 4) -> tuple[Tensor, Tensor]:
    """Each image (batch, channels, height, width) padded by its reflection, in which the pixels at the edge are not
    repeated, cropped at random to its size, and mirrored with probability 1/2: the crops and mirrors of `crop_flip`.
    """
    return reflected_outside(images, shifts(draws, padding), heads(draws, "flip")), targets
