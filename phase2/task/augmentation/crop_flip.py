"""Crops and mirrors."""

import torch
from torch import Generator, Tensor

from phase2.card import Card

CARD = Card(
    "augmentation",
    "crop_flip",
    label="crop and flip",
    definition="padded by 4 zeros a side, cropped at random to its size, and mirrored with probability 1/2",
    cites="he2016",
    order=2,
)


PADDING = 4  # pixels on every side


def crop_flip(images: Tensor, generator: Generator) -> Tensor:
    """Each image (batch, channels, height, width) padded by 4 zeros a side, cropped at random to its size, and mirrored
    with probability 1/2. He et al. 2016, section 4.2; zero is the mean of standardized images.

    >>> crop_flip(torch.ones(2, 1, 8, 8), torch.Generator().manual_seed(0)).shape
    torch.Size([2, 1, 8, 8])
    """
    n, _, height, width = images.shape
    offsets = torch.randint(2 * PADDING + 1, (2, n, 1), generator=generator).to(images.device)
    mirrored = (torch.rand(n, 1, generator=generator) < 0.5).to(images.device)
    rows, columns = (torch.arange(size, device=images.device) for size in (height, width))
    down = offsets[0] + rows  # (batch, height)
    right = offsets[1] + torch.where(mirrored, columns.flip(0), columns)
    padded = torch.nn.functional.pad(images, (PADDING,) * 4)
    each = torch.arange(n, device=images.device)[:, None, None]
    return padded.movedim(1, -1)[each, down[:, :, None], right[:, None, :]].movedim(-1, 1)
