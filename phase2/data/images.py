"""Labelled images as arrays, whatever they came from.

Each data set's `prepare_*(raw, out)` reads the folder `raw` that `sources.download` filled and writes the folder `out`:
`train_images` uint8 `(n, channels, height, width)`, `train_labels` int64 `(n,)`, `test_images` and `test_labels`, and
meta data with `classes`. Each raises `UserError` if a raw file is missing or broken.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phase2.data.origin import Source
from phase2.data.prepared import write

Labelled = tuple[np.ndarray, np.ndarray]  # images (n, channels, height, width) and their labels (n,)


def write_images(
    out: Path, source: Source, dataset: str, classes: Sequence[str], train: Labelled, test: Labelled
) -> None:
    """Writes labelled images with what their meta data say of them."""
    arrays = {
        "train_images": train[0],
        "train_labels": train[1].astype(np.int64),
        "test_images": test[0],
        "test_labels": test[1].astype(np.int64),
    }
    _, channels, height, width = train[0].shape
    meta = {
        "dataset": dataset,
        "classes": list(classes),
        "channels": channels,
        "height": height,
        "width": width,
        "origin": source.origin,
    }
    write(out, arrays, meta)


def channel_statistics(images: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean and (population) standard deviation per channel of `images / 255`, `(n, channels, ...)`.

    Of bytes from each channel's histogram: exact sums, and no copy of the images in float.
    """
    if images.dtype != np.uint8:
        channels = [images[:, channel].astype(np.float64) / 255 for channel in range(images.shape[1])]
        means = [float(values.mean()) for values in channels]
        return means, [_spread(float(v.std()), mean) for v, mean in zip(channels, means, strict=True)]
    values = np.arange(256) / 255
    means, stds = [], []
    for channel in range(images.shape[1]):
        frequency = np.bincount(images[:, channel].ravel(), minlength=256) / images[:, channel].size
        mean = frequency @ values
        means.append(float(mean))
        stds.append(_spread(float(np.sqrt(frequency @ (values - mean) ** 2)), float(mean)))
    return means, stds


def _spread(std: float, mean: float) -> float:
    """The standard deviation, or 1 of a channel that is constant up to rounding: nothing is divided by 0."""
    return std if std > 1e-12 * max(1.0, abs(mean)) else 1.0
