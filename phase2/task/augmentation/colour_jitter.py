"""Other light: brightness, contrast and saturation."""

import torch
from torch import Tensor

from phase2.card import Card, Option
from phase2.errors import UserError
from phase2.task.draws import Draws

CARD = Card(
    "augmentation",
    "colour_jitter",
    label="colour jitter",
    definition="brightness, contrast and saturation times a factor in [0.6, 1.4], in random order",
    cites="howard2013",
    order=10,
    options={
        "brightness": Option("its factor is at most so far from 1"),
        "contrast": Option("its factor is at most so far from 1"),
        "saturation": Option("its factor is at most so far from 1"),
    },
)
LUMA = (0.2989, 0.587, 0.114)  # of red, green and blue in grey (ITU-R BT.601, as torchvision rounds it)


def colour_jitter(
    images: Tensor,
    targets: Tensor,
    draws: Draws,
    mean: Tensor,
    std: Tensor,
    brightness: float = 0.4,
    contrast: float = 0.4,
    saturation: float = 0.4,
) -> tuple[Tensor, Tensor]:
    """Each image (batch, channels, height, width) with its brightness, contrast and saturation multiplied by factors in
    [max(0, 1 - b), 1 + b], in an order of its own: torchvision's ColorJitter without hue.

    `mean` and `std` (channels, 1, 1) are those that images were standardized by. A factor f makes f x + (1 - f) y of a
    pixel x, within [0, 1]: y is black for brightness, the image's mean grey for contrast, the pixel's own grey for
    saturation. Raises `UserError` for other than 1 or 3 channels, and for a negative number.
    """
    factors = _factors(draws, {"brightness": brightness, "contrast": contrast, "saturation": saturation})
    order = draws.uniform("colour order", 3).argsort(-1)
    mean, std = mean.to(images.dtype), std.to(images.dtype)
    x = images * std + mean
    for place in range(3):
        which = order[:, place]
        f = factors.gather(1, which[:, None])[:, :, None, None].to(images.dtype)
        grey = _grey(x)
        # Black, the mean grey, the grey: of each image one of the three.
        target = _chosen(which, 1) * grey.mean((2, 3), keepdim=True) + _chosen(which, 2) * grey
        x = torch.lerp(target.to(x.dtype).expand_as(x), x, f).clamp_(0, 1)
    return (x - mean) / std, targets


def _factors(draws: Draws, most: dict[str, float]) -> Tensor:
    """Factors (batch, 3), uniform about 1 and not below 0."""
    for name, number in most.items():
        if not number >= 0:
            raise UserError(f"{name} of colour_jitter is {number}: expected 0 or more")
    high = 1 + torch.tensor([*most.values()], dtype=torch.float64, device=draws.rows.device)
    low = (2 - high).clamp(min=0)
    return low + (high - low) * draws.uniform("colour", 3)


def _chosen(which: Tensor, number: int) -> Tensor:
    return (which == number)[:, None, None, None]


def _grey(x: Tensor) -> Tensor:
    """(batch, 1, height, width)."""
    if x.shape[1] == 1:
        return x
    if x.shape[1] != 3:
        raise UserError(f"colour_jitter: images have {x.shape[1]} channels, expected 1 or 3: choose another")
    return (x * x.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
