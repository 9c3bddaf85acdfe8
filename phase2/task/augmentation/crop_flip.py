"""Crops and mirrors."""

from torch import Tensor

from phase2.card import Card, Option
from phase2.task.augmentation.windows import heads, shifts, zero_outside
from phase2.task.draws import Draws

CARD = Card(
    "augmentation",
    "crop_flip",
    label="crop and flip",
    definition="padded by 4 zeros a side, cropped at random to its size, and mirrored with probability 1/2",
    cites="he2016",
    order=2,
    options={"padding": Option("pixels of zeros on every side")},
)


def crop_flip(images: Tensor, targets: Tensor, draws: Draws, padding: int = 4) -> tuple[Tensor, Tensor]:
    """Each image (batch, channels, height, width) padded by zeros, cropped at random to its size, and mirrored with
    probability 1/2. He et al. 2016, section 4.2; zero is the mean of standardized images.

    >>> import torch
    >>> crop_flip(torch.ones(2, 1, 8, 8), torch.zeros(2), Draws(0, 0, torch.arange(2)))[0].shape
    torch.Size([2, 1, 8, 8])
    """
    return zero_outside(images, shifts(draws, padding), heads(draws, "flip")), targets
