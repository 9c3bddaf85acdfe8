"""Images and their classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from phase2 import registry
from phase2.card import Card
from phase2.data.prepared import Prepared
from phase2.data.splits import split, stratified_order
from phase2.data.statistics import channel_statistics
from phase2.errors import UserError
from phase2.nn import cross_entropy
from phase2.task.augmenting import augmentation_of
from phase2.task.seeding import generator
from phase2.task.task import Metric, Split, Task

CARD = Card(
    "task",
    "open_images",
    label="images",
    definition="to tell the classes of images apart",
    order=1,
    traits={"metrics": ("accuracy",), "unit": "nats"},
)


@dataclass(frozen=True)
class Images(Split):
    """Labelled images: `index` (n,) into `images` (N, channels, height, width) uint8 and `labels` (N,)."""

    images: Tensor
    labels: Tensor
    index: Tensor
    mean: Tensor  # (channels, 1, 1), of images / 255
    std: Tensor
    size: int | None = None  # pixels a side, of the images averaged; as they are if there is none
    order: Tensor | None = None  # (pixels,), in which they stand; as they are if there is none

    def __len__(self) -> int:
        return len(self.index)

    @property
    def shape(self) -> tuple[int, ...]:
        channels, height, width = self.images.shape[1:]
        return (channels, self.size or height, self.size or width)

    def batch(self, rows: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Standardised images (batch, channels, height, width) and labels (batch,) of some rows of this part."""
        chosen = self.index[rows.to(self.index.device)]
        images = self.images[chosen].to(dtype).div_(255).sub_(self.mean.to(dtype)).div_(self.std.to(dtype))
        if self.size is not None:
            images = adaptive_avg_pool2d(images, self.size)
        if self.order is not None:
            images = images.flatten(2)[..., self.order].view_as(images)
        return images, self.labels[chosen]


def open_images(
    prepared: Prepared,
    validation: int,
    train: int | None,
    device: torch.device,
    size: int | None = None,
    pixels: str = "natural",
    augment: str = "none",
    augment_options: Mapping[str, Any] | None = None,
    tta: str = "none",
    test: int | None = None,
    label_smoothing: float = 0.0,
) -> Task:
    """The parts of a prepared data set of images: on the CPU memory-mapped; a GPU gets them whole, as uint8.

    `size` averages the images to so many pixels a side; `pixels="permuted"` puts the pixels of all images into one
    fixed random order; `augment` names what training does to them (`phase2.task.augmentation`), with its
    `augment_options`, and `tta` how networks are asked at the test part (`phase2.task.tta`); `test` images are used of
    that part, or all. Training minimises the cross-entropy of smoothed labels (Szegedy et al. 2016, section 7), and
    every part is judged by that of the labels themselves. Raises `UserError` for a size larger than the images, and for
    more images than there are.
    """
    shape = prepared.arrays["train_images"].shape[2:]
    if size is not None and size > min(shape):
        raise UserError(f"size={size}: expected at most the {min(shape)} pixels a side that the images have")
    array = {name: torch.from_numpy(values).to(device) for name, values in prepared.arrays.items()}
    train_index, val_index = split(prepared.arrays["train_labels"], validation, train)
    # Of the images that are trained on alone: no other part is looked at before it is judged.
    statistics = channel_statistics(prepared.arrays["train_images"][train_index])
    mean, std = (torch.tensor(values, device=device).reshape(-1, 1, 1) for values in statistics)

    def part(name: str, index: Tensor) -> Images:
        return Images(array[f"{name}_images"], array[f"{name}_labels"], index.to(device), mean, std, size, order)

    pixel_count = size**2 if size else shape[0] * shape[1]
    order = None if pixels == "natural" else torch.randperm(pixel_count, generator=generator(0, "data")).to(device)
    classes = len(prepared.meta["classes"])
    return Task(
        train=part("train", torch.from_numpy(train_index)),
        val=part("train", torch.from_numpy(val_index)),
        test=part("test", _chosen(prepared.arrays["test_labels"], test)),
        outputs=classes,
        objective=cross_entropy,
        metrics=tuple(map(Metric.named, CARD.traits["metrics"])),
        augment=augmentation_of(augment, augment_options or {}, classes=classes, mean=mean, std=std),
        tta=registry.load("tta", tta),
        learned=partial(cross_entropy, label_smoothing=label_smoothing) if label_smoothing else None,
    )


def _chosen(labels: np.ndarray, count: int | None) -> Tensor:
    """Indices of all test samples, or of `count` with the classes in proportion; raises `UserError` for too many."""
    if count is not None and count > len(labels):
        raise UserError(f"test={count}: expected at most the {len(labels)} test images there are")
    return torch.from_numpy(np.sort(stratified_order(labels)[:count]))
