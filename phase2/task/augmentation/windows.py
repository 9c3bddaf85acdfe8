"""What crops and mirrors share: a window of each image, at a place of its own, that may be read from right to left."""

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.task.draws import Draws


def heads(draws: Draws, name: str) -> Tensor:
    """The toss of a coin for each row: (batch,) of bool."""
    return draws.uniform(name) < 0.5


def mirrored(images: Tensor, which: Tensor) -> Tensor:
    """Images (batch, channels, height, width), those `which` (batch,) says from right to left."""
    return torch.where(which[:, None, None, None], images.flip(-1), images)


def shifts(draws: Draws, most: int) -> Tensor:
    """Whole pixels from -`most` to `most`, down and to the right: (batch, 2). Raises `UserError` for no distance."""
    if not isinstance(most, int) or most < 0:
        raise UserError(f"images cannot be moved by up to {most} pixels: expected a whole number, 0 or more")
    return draws.integers("crop", 2 * most + 1, 2) - most


def zero_outside(images: Tensor, shift: Tensor, mirror: Tensor | None = None) -> Tensor:
    """The window of each image that begins at `shift` (batch, 2), 0 where it reaches over the edge; then mirrored.

    Zero is the mean of standardized images.
    """
    height, width = images.shape[-2:]
    rows, columns = _places(shift, height, width, mirror)
    seen = _within(rows, height)[:, :, None] & _within(columns, width)[:, None, :]
    window = _read(images, rows.clamp(0, height - 1), columns.clamp(0, width - 1))
    return window.masked_fill_(~seen[:, None], 0)


def reflected_outside(images: Tensor, shift: Tensor, mirror: Tensor | None = None) -> Tensor:
    """The same with each image's own mirror image over the edge, whose pixels are not repeated."""
    height, width = images.shape[-2:]
    rows, columns = _places(shift, height, width, mirror)
    return _read(images, _reflected(rows, height), _reflected(columns, width))


def _places(shift: Tensor, height: int, width: int, mirror: Tensor | None) -> tuple[Tensor, Tensor]:
    """Rows (batch, height) and columns (batch, width) of the windows, which may lie outside of the images."""
    down, right = (torch.arange(size, device=shift.device) for size in (height, width))
    if mirror is not None:
        right = torch.where(mirror[:, None], right.flip(0), right)
    return shift[:, :1] + down, shift[:, 1:] + right


def _within(places: Tensor, size: int) -> Tensor:
    return (places >= 0) & (places < size)


def _reflected(places: Tensor, size: int) -> Tensor:
    """Places on a line as those in [0, size) that they are the reflections of, however far outside."""
    period = max(2 * (size - 1), 1)
    places = places % period
    return torch.minimum(places, period - places).clamp_(max=size - 1)


def _read(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The pixels of each image at all its rows (batch, height) and columns (batch, width)."""
    place = (rows[:, :, None] * images.shape[-1] + columns[:, None, :]).flatten(1)
    flat = images.flatten(2)
    return flat.gather(2, place[:, None].expand_as(flat)).view_as(images)
