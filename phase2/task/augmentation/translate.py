"""Shifts by a few pixels."""

from torch import Tensor

from phase2.card import Card, Option
from phase2.task.augmentation.windows import reflected_outside, shifts
from phase2.task.draws import Draws

CARD = Card(
    "augmentation",
    "translate",
    label="shift",
    definition="moved by up to 2 pixels up or down and left or right, its reflection coming in at the edges",
    cites="jordan2024",
    order=6,
    options={"shift": Option("pixels that an image is moved by at most, each way")},
)


def translate(images: Tensor, targets: Tensor, draws: Draws, shift: int = 2) -> tuple[Tensor, Tensor]:
    """Each image (batch, channels, height, width) moved by whole pixels from -shift to shift along both sides, all of
    them equally likely; what comes in at an edge is the image's reflection. Jordan 2024, section 3.
    """
    return reflected_outside(images, shifts(draws, shift)), targets
