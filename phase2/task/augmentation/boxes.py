"""What cutout and cutmix share: a box about a random pixel, of which what reaches over the edges is lost."""

import torch
from torch import Tensor

from phase2.task.draws import Draws

Sides = tuple[int | Tensor, int | Tensor]  # pixels of each row (batch,), or of all


def boxes(draws: Draws, name: str, height: int, width: int, before: Sides, after: Sides) -> Tensor:
    """Which pixels are inside, (batch, height, width): from `before` a random pixel up to, but not with, `after` it.

    Both are (down, right). The pixel is any of the image, all of them equally likely.
    """
    along = [
        _between(draws.integers(f"{name} {side}", size), size, start, stop)
        for side, size, start, stop in zip(("down", "right"), (height, width), before, after, strict=True)
    ]
    return along[0][:, :, None] & along[1][:, None, :]


def _between(centre: Tensor, size: int, before: int | Tensor, after: int | Tensor) -> Tensor:
    place = torch.arange(size, device=centre.device)
    return (place >= (centre - before)[:, None]) & (place < (centre + after)[:, None])
