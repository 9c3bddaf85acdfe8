"""What mixup and cutmix share: a partner for each image, shares of the two, and targets that are shared too."""

import torch
from scipy.special import betaincinv
from torch import Tensor

from phase2.errors import UserError
from phase2.task.draws import Draws


def partners(values: Tensor) -> Tensor:
    """For each row of a batch that before it; an epoch's order is random, and so is who stands there."""
    return values.roll(1, 0)


def shares(draws: Draws, name: str, alpha: float) -> Tensor:
    """A draw of Beta(alpha, alpha) for each row, (batch,): the quantile of a uniform one.

    Raises `UserError` unless alpha is above 0.
    """
    if not alpha > 0:
        raise UserError(f"alpha of {name} is {alpha}: expected a number above 0; leave {name} out to mix nothing")
    uniform = draws.uniform(name)
    return torch.from_numpy(betaincinv(alpha, alpha, uniform.cpu().numpy())).to(uniform.device)


def mixed_targets(targets: Tensor, share: Tensor, classes: int, dtype: torch.dtype) -> Tensor:
    """Probabilities of classes (batch, classes): `share` (batch,) of each row's own, the rest of its partner's.

    Targets are labels (batch,), or probabilities already if something was mixed before.
    """
    own = targets if targets.is_floating_point() else torch.nn.functional.one_hot(targets, classes).to(dtype)
    return torch.lerp(partners(own), own, share[:, None].to(own.dtype))
