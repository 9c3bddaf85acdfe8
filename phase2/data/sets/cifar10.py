"""CIFAR-10, as its publisher's batches."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from phase2.card import Card
from phase2.data.archives import read_tar
from phase2.data.images import Labelled, write_images
from phase2.data.origin import DataFile, Source
from phase2.errors import UserError

CARD = Card(
    "dataset",
    "prepare_cifar10",
    label="CIFAR-10",
    definition="CIFAR-10",
    cites="krizhevsky2009",
    order=3,
    traits={"holds": "images"},
)

SOURCE = Source(
    files=(
        DataFile(
            "cifar-10-python.tar.gz",
            "md5:c58f30108f718f92721af3b95e74349a",
            urls=("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",),
        ),
    ),
    origin="CIFAR-10, 32x32 colour images, python version",
    licence="none stated by the publisher, who asks to be cited",
    citation="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
)


CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)


def prepare_cifar10(raw: Path, out: Path) -> None:
    """CIFAR-10 (3x32x32) from the publisher's python version, in the order of its batches."""
    files = dict(read_tar(raw / "cifar-10-python.tar.gz"))
    parts = [_read_cifar10_batch(files, f"data_batch_{i}") for i in range(1, 6)]
    test = _read_cifar10_batch(files, "test_batch")
    images, labels = zip(*parts, strict=True)
    write_images(out, SOURCE, "cifar10", CIFAR10_CLASSES, (np.concatenate(images), np.concatenate(labels)), test)


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickles NumPy arrays and nothing else, since a pickle can call anything it can name."""

    ALLOWED = frozenset({"numpy.ndarray", "numpy.dtype", "numpy._core.multiarray._reconstruct"})

    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy.core", "numpy._core")  # its name before NumPy 2
        if f"{module}.{name}" not in self.ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)


def _read_cifar10_batch(files: dict[str, bytes], name: str) -> Labelled:
    """One batch: a dict whose `data` (n, 3072) has each image's red, green and blue planes, 32x32 by rows."""
    try:
        content = io.BytesIO(files[f"cifar-10-batches-py/{name}"])
        batch = _ArrayUnpickler(content, encoding="bytes").load()
        data, labels = np.asarray(batch[b"data"]), np.asarray(batch[b"labels"])
    except Exception as error:  # a damaged pickle can raise nearly any
        raise UserError(f"{name} is not a batch of CIFAR-10 ({error}): download the dataset again") from error
    if data.dtype != np.uint8 or data.shape != (len(labels), 3072):
        raise UserError(f"{name}: expected uint8 ({len(labels)}, 3072) as data, found {data.dtype} {data.shape}")
    return data.reshape(-1, 3, 32, 32), labels
