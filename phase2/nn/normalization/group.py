"""GroupNorm: each sample's channels standardized in groups."""

import math

import torch
from torch import Tensor

from phase2.card import Card
from phase2.errors import UserError
from phase2.nn.normalization.normalize import Norm, autocast, normalize

CARD = Card(
    "norm",
    "group",
    label="GroupNorm",
    definition=r"$\gamma (x - \mu)/\sqrt{v + \epsilon} + \beta$ of an image over a group of channels",
    cites="wu2018",
    order=5,
)


class GroupNorm(Norm, torch.nn.GroupNorm):
    """Each sample's channels in groups, each group standardized by itself; drop-in for `torch.nn.GroupNorm`.

    Shapes: input and output (batch, num_channels, *); weight and bias (num_channels). Wu & He 2018, eq. 1 and 7.
    Raises `UserError` for another shape, groups that do not divide the channels, an input that is not of the
    layer's floating type, eps <= 0, or (as torch) a batch of one sample with one value a group.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        _check_groups(num_groups, num_channels)
        super().__init__(num_groups, num_channels, eps, affine, device, dtype)
        self._check_eps()
        if not bias:
            self.bias = None

    def forward(self, input: Tensor) -> Tensor:
        self._check(input)
        x = autocast(input)
        space = (1,) * (x.ndim - 2)
        grouped = x.unflatten(1, (self.num_groups, -1))  # (batch, groups, channels of a group, *)
        shape = (1, *grouped.shape[1:3], *space)
        dims = tuple(range(2 - grouped.ndim, 0))
        return normalize(grouped, self.weight, self.bias, shape, dims, self.eps)[0].flatten(1, 2)

    def _check(self, x: Tensor) -> None:
        _check_groups(self.num_groups, self.num_channels)
        if x.ndim < 2 or x.shape[1] != self.num_channels or 0 in x.shape[2:]:
            raise UserError(
                f"GroupNorm: input has shape {tuple(x.shape)}, expected (batch, {self.num_channels}, *) "
                "with no empty dimension after the batch"
            )
        if math.prod(x.shape) == self.num_groups:
            raise UserError(f"Expected more than 1 value per channel when training, got input size {list(x.shape)}")
        self._check_numbers(x, self.weight)


def _check_groups(num_groups: int, num_channels: int) -> None:
    if num_groups < 1 or num_channels % num_groups:
        raise UserError(
            f"GroupNorm: num_groups={num_groups} does not divide num_channels={num_channels}, expected a divisor"
        )


def group(features: int, *, images: bool = False, backend: str = "scratch") -> GroupNorm:
    """GroupNorm as a network is given it: the most groups up to 32 that divide the channels into two or more each.

    Wu & He 2018 take 32 groups; a group of a single channel and a single place would have no variance.
    """
    groups = max(n for n in range(1, 33) if features % n == 0 and (n == 1 or features // n > 1))
    return GroupNorm(groups, features)
