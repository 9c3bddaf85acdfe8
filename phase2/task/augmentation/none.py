"""Images as they are, as a level of the axis."""

from torch import Generator, Tensor

from phase2.card import Card

CARD = Card("augmentation", "none", label="none", definition="images as they are", order=1)


def none(images: Tensor, generator: Generator) -> Tensor:
    """The same images (batch, channels, height, width)."""
    return images
