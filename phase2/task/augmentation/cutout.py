"""Holes."""

from torch import Tensor

from phase2.card import Card, Option
from phase2.errors import UserError
from phase2.task.augmentation.boxes import boxes
from phase2.task.draws import Draws

CARD = Card(
    "augmentation",
    "cutout",
    label="cutout",
    definition="a square of 16 pixels a side about a random pixel is set to the mean",
    cites="devries2017",
    order=7,
    options={"hole": Option("pixels a side of the square")},
)


def cutout(images: Tensor, targets: Tensor, draws: Draws, hole: int = 16) -> tuple[Tensor, Tensor]:
    """Each image (batch, channels, height, width) with a square about a random pixel set to 0, the mean of standardized
    images; of a square that reaches over an edge only the part inside. DeVries and Taylor 2017, section 3.2.

    Raises `UserError` for a hole of no whole number of pixels.
    """
    if not isinstance(hole, int) or hole < 1:
        raise UserError(f"hole of cutout is {hole}: expected a whole number of pixels, 1 or more")
    before, after = hole // 2, hole - hole // 2
    height, width = images.shape[-2:]
    inside = boxes(draws, "cutout", height, width, (before, before), (after, after))
    return images.masked_fill(inside[:, None], 0), targets
