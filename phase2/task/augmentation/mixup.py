"""Images laid over each other."""

import torch
from torch import Tensor

from phase2.card import Card, Option
from phase2.task.augmentation.mixing import mixed_targets, partners, shares
from phase2.task.draws import Draws

CARD = Card(
    "augmentation",
    "mixup",
    label="mixup",
    definition=r"$\lambda$ of it and $1 - \lambda$ of another, targets too; $\lambda \sim \mathrm{Beta}(1, 1)$",
    cites="zhang2018",
    order=8,
    options={"alpha": Option("both parameters of the beta distribution of the share")},
)


def mixup(images: Tensor, targets: Tensor, draws: Draws, classes: int, alpha: float = 1.0) -> tuple[Tensor, Tensor]:
    """Each image (batch, channels, height, width) as λ x_i + (1 - λ) x_j, and so its target, as probabilities (batch,
    classes): λ ~ Beta(alpha, alpha), for each row its own. Zhang et al. 2018, equation 1.

    Raises `UserError` unless alpha is above 0.
    """
    share = shares(draws, "mixup", alpha)
    mixed = torch.lerp(partners(images), images, share[:, None, None, None].to(images.dtype))
    return mixed, mixed_targets(targets, share, classes, images.dtype)
