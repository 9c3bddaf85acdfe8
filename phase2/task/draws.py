"""Random numbers for each example of a batch: they depend on the seed, the epoch and the example's row alone.

So neither the batch that a row is in, nor how it is cut, nor a training that was killed and resumed changes a pixel.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from phase2.task.seeding import number

_INCREMENT, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB  # of SplitMix64


@dataclass(frozen=True)
class Draws:
    """The draws of the rows (batch,) of a training part in an epoch."""

    seed: int
    epoch: int
    rows: Tensor

    def uniform(self, name: str, *shape: int) -> Tensor:
        """Numbers in [0, 1), (batch, *shape) in float64, on the rows' device; another `name` gives others.

        >>> draws = Draws(0, 3, torch.tensor([7, 8]))
        >>> bool(draws.uniform("flip")[1] == Draws(0, 3, torch.tensor([8])).uniform("flip")[0])
        True
        """
        count = torch.Size(shape).numel()
        place = torch.arange(count, device=self.rows.device)
        mixed = _mixed(self.rows[:, None] * count + place + number(self.seed, "augment", self.epoch, name))
        return (_shifted(mixed, 11).double() * 2.0**-53).reshape(len(self.rows), *shape)

    def integers(self, name: str, below: int, *shape: int) -> Tensor:
        """Whole numbers from 0 to `below`, which is not one of them: (batch, *shape)."""
        return (self.uniform(name, *shape) * below).long()


def _mixed(counter: Tensor) -> Tensor:
    """SplitMix64 (Steele, Lea and Flood 2014, figure 17) of int64 counters; sums and products wrap."""
    z = counter * _signed(_INCREMENT)
    z = (z ^ _shifted(z, 30)) * _signed(_FIRST)
    z = (z ^ _shifted(z, 27)) * _signed(_SECOND)
    return z ^ _shifted(z, 31)


def _shifted(z: Tensor, bits: int) -> Tensor:
    """To the right, with zeros coming in on the left."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)


def _signed(number: int) -> int:
    """A 64-bit number as int64 has it."""
    return number - (1 << 64) if number >= 1 << 63 else number
