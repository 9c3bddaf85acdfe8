"""Examples on the training device, and the order in which a seed visits them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from phase2.data.prepared import Prepared
from phase2.data.splits import split
from phase2.train.objectives import Objective, classification
from phase2.train.seeding import generator


class Part(ABC):
    """Some examples of a task."""

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def features(self) -> int:
        """Numbers in one input."""

    @abstractmethod
    def batch(self, rows: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Inputs (batch, ...) and targets (batch, ...) of some rows of this part."""

    def in_order(self, size: int, dtype: torch.dtype) -> Iterator[tuple[Tensor, Tensor]]:
        """All batches of at most `size`, in the stored order."""
        for rows in torch.arange(len(self)).split(size):
            yield self.batch(rows, dtype)


@dataclass(frozen=True)
class Images(Part):
    """Labelled images: `index` (n,) into `images` (N, channels, height, width) uint8 and `labels` (N,)."""

    images: Tensor
    labels: Tensor
    index: Tensor
    mean: Tensor  # (channels, 1, 1), of images / 255
    std: Tensor

    def __len__(self) -> int:
        return len(self.index)

    @property
    def features(self) -> int:
        return self.images[0].numel()

    def batch(self, rows: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Standardised images (batch, channels, height, width) and labels (batch,) of some rows of this part."""
        chosen = self.index[rows.to(self.index.device)]
        images = self.images[chosen].to(dtype).div_(255).sub_(self.mean.to(dtype)).div_(self.std.to(dtype))
        return images, self.labels[chosen]


@dataclass(frozen=True)
class Points(Part):
    """Samples of a function: `inputs` (n, features) and `targets` (n, outputs)."""

    inputs: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def features(self) -> int:
        return self.inputs.shape[1]

    def batch(self, rows: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Inputs (batch, features) and targets (batch, outputs) of some rows of this part."""
        return self.inputs[rows].to(dtype), self.targets[rows].to(dtype)


@dataclass(frozen=True)
class Parts:
    """The three parts of a task, and what is learnt. The test part is read once, when training has ended."""

    train: Part
    val: Part
    test: Part
    outputs: int  # of the network: classes, or the numbers of a target
    objective: Objective = classification


def open_parts(prepared: Prepared, validation: int, train: int | None, device: torch.device) -> Parts:
    """The parts of a prepared data set of images: on the CPU memory-mapped; a GPU gets them whole, as uint8."""
    array = {name: torch.from_numpy(values).to(device) for name, values in prepared.arrays.items()}
    mean, std = (torch.tensor(prepared.meta[k], device=device).reshape(-1, 1, 1) for k in ("mean", "std"))

    def part(name: str, index: Tensor) -> Images:
        return Images(array[f"{name}_images"], array[f"{name}_labels"], index.to(device), mean, std)

    labels = prepared.arrays["train_labels"]
    train_index, val_index = split(labels, validation, train)
    return Parts(
        train=part("train", torch.from_numpy(train_index)),
        val=part("train", torch.from_numpy(val_index)),
        test=part("test", torch.arange(len(array["test_labels"]))),
        outputs=len(prepared.meta["classes"]),
    )


def epoch_order(size: int, seed: int, epoch: int) -> Tensor:
    """The permutation of `size` rows that a seed visits in an epoch: a function of the two, with no state to save."""
    return torch.randperm(size, generator=generator(seed, "data", epoch))


def steps_per_epoch(size: int, batch_size: int) -> int:
    """Steps an epoch: the last batch may be smaller, nothing is dropped."""
    return -(-size // batch_size)
