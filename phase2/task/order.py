"""The order in which a seed visits examples."""

import torch
from torch import Tensor

from phase2.task.seeding import generator


def epoch_order(size: int, seed: int, epoch: int) -> Tensor:
    """The permutation of `size` rows that a seed visits in an epoch: a function of the two, with no state to save."""
    return torch.randperm(size, generator=generator(seed, "data", epoch))


def steps_per_epoch(size: int, batch_size: int) -> int:
    """Steps an epoch: the last batch may be smaller, nothing is dropped."""
    return -(-size // batch_size)
