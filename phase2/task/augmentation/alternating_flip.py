"""Mirrors that take turns: an image and its mirror image are seen equally often."""

from dataclasses import replace

from torch import Tensor

from phase2.card import Card
from phase2.task.augmentation.windows import heads, mirrored
from phase2.task.draws import Draws

CARD = Card(
    "augmentation",
    "alternating_flip",
    label="alternating flip",
    definition="mirrored in every other epoch; whether in the first is a toss of a coin",
    cites="jordan2024",
    order=5,
)


def alternating_flip(images: Tensor, targets: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
    """Each image (batch, channels, height, width) mirrored with probability 1/2 in the first epoch, and from then on
    whenever it was not in the epoch before. Jordan 2024, section 3: two epochs in a row never show the same side.
    """
    first = heads(replace(draws, epoch=0), "flip")
    return mirrored(images, first ^ bool(draws.epoch % 2)), targets
