"""Progressive resizing: training begins with small images, whose steps are cheap, and ends with large ones.

What is judged sees images of their own size. So the last epochs should train at it: BatchNorm's running statistics are
of the sizes that it saw last.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from phase2.errors import UserError
from phase2.task.task import Task
from phase2.train.lanes import network
from phase2.train.recipe import Recipe


def resized(images: Tensor, sizes: Mapping[int, int], epoch: int) -> Tensor:
    """Images (batch, channels, height, width) averaged to the pixels a side that `sizes` has for an epoch: the entry of
    the last epoch up to it; before the first they are as they are.
    """
    size = size_in(sizes, epoch)
    return adaptive_avg_pool2d(images, size) if size else images


def size_in(sizes: Mapping[int, int], epoch: int) -> int | None:
    """The pixels a side in an epoch, from 0; None: images are as they are."""
    starts = [start for start in sizes if start <= epoch]
    return sizes[max(starts)] if starts else None


def check_sizes(recipe: Recipe, task: Task) -> None:
    """Raises `UserError` for a size that the images do not have, or that the network cannot take."""
    shape = task.train.shape
    if recipe.sizes and len(shape) != 3:
        raise UserError(f"budget.sizes: inputs of shape {shape} are no images (channels, height, width): leave it out")
    for size in sorted({*recipe.sizes.values()}):
        if size > min(shape[1:]):
            raise UserError(
                f"budget.sizes: expected at most the {min(shape[1:])} pixels a side that the images have (found {size})"
            )
        _try(recipe, shape, task.outputs, size)


def _try(recipe: Recipe, shape: tuple[int, ...], outputs: int, size: int) -> None:
    """Shows two images of a size to a network that is made for those of `shape`."""
    model = network(recipe, shape, outputs).eval()
    try:
        with torch.no_grad():
            model(torch.zeros(2, shape[0], size, size))
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"budget.sizes: the model {recipe.model} takes no images of {size} pixels a side: {error}"
        ) from error
