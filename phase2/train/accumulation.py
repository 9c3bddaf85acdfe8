"""Gradient accumulation: the gradient of a batch from micro-batches, of which one at a time is in memory.

A batch's loss is the mean over what it counts, L = Σ_i c_i L_i / Σ_i c_i, where L_i is the mean over the c_i that
micro-batch i counts. So each micro-batch's gradient has the share c_i / Σ_i c_i, and the sum is the batch's gradient,
however unequal the c_i are (the plain mean of the L_i is another loss). What is another training is one with BatchNorm:
each micro-batch is normalized by its own statistics, as in the ghost batches of Hoffer et al. 2017, and moves the
running ones once; dropout too draws for each micro-batch.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from phase2.task.task import Split
from phase2.train.lanes import Measures


class Measured(Protocol):
    """`Stack.measure`."""

    def __call__(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Measures]: ...


class Drawing(Protocol):
    """The random numbers of a micro-batch, by its number in the batch."""

    def __call__(self, number: int) -> AbstractContextManager: ...


@dataclass
class Sums:
    """Of a batch: each lane's losses, and its metrics by name, summed over what was counted."""

    losses: Tensor  # (lanes,) in float64; finite if and only if every mean loss was
    metrics: Measures = field(default_factory=dict)
    counted: int = 0


def pieces(inputs: Tensor, targets: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """A batch (batch, ...) in micro-batches of `size`; the last may be shorter."""
    return zip(inputs.split(size), targets.split(size), strict=True)


def backward(
    measure: Measured, inputs: Tensor, targets: Tensor, part: Split, size: int, scale: Tensor, drawing: Drawing
) -> Sums:
    """Adds the gradients of a batch's mean losses, each lane's times its `scale` (lanes,), to the parameters' own.

    Micro-batches in which `part` counts nothing are left out: their mean loss would be 0 / 0.
    """
    counts = [part.counted(each) for _, each in pieces(inputs, targets, size)]
    sums = Sums(torch.zeros_like(scale, dtype=torch.float64), counted=sum(counts))
    for number, ((some, theirs), counted) in enumerate(zip(pieces(inputs, targets, size), counts, strict=True)):
        if counted == 0:
            continue
        with drawing(number):
            losses, totals = measure(some, theirs)
        losses.backward(scale.to(losses) * (counted / sums.counted))
        sums.losses += losses.detach().double() * counted
        for name, total in totals.items():
            sums.metrics[name] = sums.metrics[name] + total.detach() if name in sums.metrics else total.detach()
    return sums
