"""Images as they are, as a level of the axis."""

from torch import Tensor

from phase2.card import Card
from phase2.task.draws import Draws

CARD = Card("augmentation", "none", label="none", definition="images as they are", order=1)


def none(images: Tensor, targets: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
    """The same images (batch, channels, height, width)."""
    return images, targets
