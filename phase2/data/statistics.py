"""By what images are standardized."""

import numpy as np


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
