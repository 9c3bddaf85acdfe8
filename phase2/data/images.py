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
