"""Images with a window onto another."""

import torch
from torch import Tensor

from phase2.card import Card, Option
from phase2.task.augmentation.boxes import boxes
from phase2.task.augmentation.mixing import mixed_targets, partners, shares
from phase2.task.draws import Draws

CARD = Card(
    "augmentation",
    "cutmix",
    label="cutmix",
    definition="a box about a random pixel, uniform in area, shows another image; targets are mixed by the areas",
    cites="yun2019",
    order=9,
    options={"alpha": Option("both parameters of the beta distribution of the share that is left")},
)


def cutmix(images: Tensor, targets: Tensor, draws: Draws, classes: int, alpha: float = 1.0) -> tuple[Tensor, Tensor]:
    """Each image (batch, channels, height, width) with a box of another's pixels, and targets as probabilities (batch,
    classes) by the areas inside the image. Yun et al. 2019, section 3.1: of λ ~ Beta(alpha, alpha), for each row its
    own, the box has the sides √(1 - λ) of the image's, in whole pixels to either side of a random one.

    Raises `UserError` unless alpha is above 0.
    """
    height, width = images.shape[-2:]
    half = (1 - shares(draws, "cutmix", alpha)).sqrt() / 2
    reach = ((half * height).long(), (half * width).long())
    inside = boxes(draws, "cutmix", height, width, reach, reach)
    share = 1 - inside.double().mean((1, 2))
    mixed = torch.where(inside[:, None], partners(images), images)
    return mixed, mixed_targets(targets, share, classes, images.dtype)
