"""Mirrors."""

from torch import Tensor

from phase2.card import Card
from phase2.task.augmentation.windows import heads, mirrored
from phase2.task.draws import Draws

CARD = Card("augmentation", "flip", label="flip", definition="mirrored left to right with probability 1/2", order=4)


def flip(images: Tensor, targets: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
    """Each image (batch, channels, height, width) mirrored left to right with probability 1/2."""
    return mirrored(images, heads(draws, "flip")), targets
