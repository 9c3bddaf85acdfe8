"""The images that a probe measures on: as many as it asks for, or all there are.

A data set of the user's own may be small, and what it holds is known only when it is there. So a probe's number of
images is the most that it takes.
"""

import torch
from torch import Tensor

from phase2.data.prepared import Prepared
from phase2.task.images import open_images
from phase2.task.task import Task


def images_of(data: Prepared, train: int | None = None) -> Task:
    """A data set of images on the CPU, none left out for validation: at most `train` of its training images, or all."""
    there = len(data.arrays["train_labels"])
    return open_images(data, 0, there if train is None else min(train, there), torch.device("cpu"))


def spread(count: int, there: int) -> Tensor:
    """`count` of the rows 0 to `there`, evenly, since some data sets are sorted by class; all if there are no more."""
    count = min(count, there)
    return torch.arange(count) * there // count
