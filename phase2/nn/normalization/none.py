"""No normalization, as a level of the axis."""

from torch.nn import Identity

from phase2.card import Card

CARD = Card(
    "norm",
    "none",
    label="none",
    definition="no normalization",
    order=1,
)


def none(features: int, *, images: bool = False, backend: str = "scratch") -> Identity:
    """The same values."""
    return Identity()
