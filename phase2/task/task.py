"""A task: examples in three parts, what a training minimises, and the metrics of its answers."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from phase2 import registry
from phase2.task.draws import Draws
from phase2.task.tta.none import Views, none

Objective = Callable[[Tensor, Tensor], Tensor]  # the mean loss, over what is counted, of outputs and targets
Measure = Callable[[Tensor, Tensor], tuple[Tensor, dict[str, Tensor]]]  # that, and of each metric the sum
Augmentation = Callable[[Tensor, Tensor, Draws], tuple[Tensor, Tensor]]  # of a batch's inputs and targets


@dataclass(frozen=True)
class Metric:
    """A metric by its name: `total` sums it over all that is counted in outputs and targets."""

    name: str
    total: Callable[[Tensor, Tensor], Tensor]
    higher_is_better: bool

    @classmethod
    def named(cls, name: str) -> "Metric":
        """The metric of this name in `phase2.task.metrics`, or of the user's."""
        better = registry.part("metric", name).card.traits["better"] == "higher"
        return cls(name, registry.load("metric", name), better)


class Split(ABC):
    """Some examples of a task."""

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Of one input."""

    @property
    def features(self) -> int:
        """Numbers in one input."""
        return math.prod(self.shape)

    @abstractmethod
    def batch(self, rows: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Inputs (batch, ...) and targets (batch, ...) of some rows of this part."""

    def counted(self, targets: Tensor) -> int:
        """How much of a batch losses and metrics are taken over: all rows, unless a task leaves something out."""
        return len(targets)

    def in_order(self, size: int, dtype: torch.dtype) -> Iterator[tuple[Tensor, Tensor]]:
        """All batches of at most `size`, in the stored order."""
        for rows in torch.arange(len(self)).split(size):
            yield self.batch(rows, dtype)


@dataclass(frozen=True)
class Task:
    """The three parts of a task, and what is learnt. The test part is read once, when training has ended."""

    train: Split
    val: Split
    test: Split
    outputs: int  # of the network: classes, or the numbers of a target
    objective: Objective
    metrics: tuple[Metric, ...]  # the best weights are those best by the first on the validation part
    augment: Augmentation
    tta: Views = none  # how the network is asked at the test part
    learned: Objective | None = None  # what training minimises, if not the objective that is judged

    def measure(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean loss, and of each metric the sum, over what is counted."""
        return self.objective(outputs, targets), self._totals(outputs, targets)

    def learn(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The same of what training minimises, such as the loss of smoothed labels."""
        return (self.learned or self.objective)(outputs, targets), self._totals(outputs, targets)

    def _totals(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        return {each.name: each.total(outputs, targets) for each in self.metrics}
