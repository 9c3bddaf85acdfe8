"""Image datasets from their published formats to arrays.

Each `prepare_*(raw, out)` reads the folder `raw` that `sources.download` filled and writes the folder `out`:
`train_images` uint8 `(n, channels, height, width)`, `train_labels` int64 `(n,)`, `test_images` and
`test_labels`, and meta data with `classes` and the `mean` and `std` per channel of `train_images / 255`.
Each raises `UserError` if a raw file is missing or broken.
"""

import io
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from phase2.data.archives import gunzip, read_tar
from phase2.data.prepared import write
from phase2.data.sources import SOURCES
from phase2.data.splits import split
from phase2.errors import UserError

FASHION_MNIST_CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)

Labelled = tuple[np.ndarray, np.ndarray]
"""Images (n, channels, height, width) and their labels (n,)."""


def prepare_digits(raw: Path, out: Path) -> None:
    """scikit-learn's 1,797 digits (1x8x8); a fixed stratified fifth is the test part. `raw` is not read."""
    from sklearn.datasets import load_digits  # here: it takes a second to import, and the others do without

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = digits.target
    train, test = split(labels, round(len(labels) / 5))
    _write(
        out,
        "digits",
        [str(d) for d in range(10)],
        (images[train], labels[train]),
        (images[test], labels[test]),
    )


def prepare_fashion_mnist(raw: Path, out: Path) -> None:
    """Fashion-MNIST (1x28x28) from its four idx files, in their order."""
    train, test = (
        (
            _read_idx(raw / f"{part}-images-idx3-ubyte.gz")[:, None],
            _read_idx(raw / f"{part}-labels-idx1-ubyte.gz"),
        )
        for part in ("train", "t10k")
    )
    _write(out, "fashion_mnist", FASHION_MNIST_CLASSES, train, test)


def prepare_cifar10(raw: Path, out: Path) -> None:
    """CIFAR-10 (3x32x32) from the publisher's python version, in the order of its batches."""
    files = dict(read_tar(raw / "cifar-10-python.tar.gz"))
    parts = [_read_cifar10_batch(files, f"data_batch_{i}") for i in range(1, 6)]
    test = _read_cifar10_batch(files, "test_batch")
    images, labels = zip(*parts, strict=True)
    _write(out, "cifar10", CIFAR10_CLASSES, (np.concatenate(images), np.concatenate(labels)), test)


def prepare_cifar10_jpeg(raw: Path, out: Path) -> None:
    """CIFAR-10's images from JPEG (lossy, so not CIFAR-10), by class in CIFAR-10's order, then by number."""
    archive = raw / "cifar10-jpeg.tar.xz"
    files = dict(read_tar(archive))
    train, test = (_decode_classes(archive, files, part) for part in ("train", "test"))
    _write(out, "cifar10_jpeg", CIFAR10_CLASSES, train, test)


def _write(out: Path, dataset: str, classes: Sequence[str], train: Labelled, test: Labelled) -> None:
    arrays = {
        "train_images": train[0],
        "train_labels": train[1].astype(np.int64),
        "test_images": test[0],
        "test_labels": test[1].astype(np.int64),
    }
    _, channels, height, width = train[0].shape
    mean, std = channel_statistics(train[0])
    meta = {
        "dataset": dataset,
        "classes": list(classes),
        "channels": channels,
        "height": height,
        "width": width,
        "mean": mean,
        "std": std,
        "origin": SOURCES[dataset].origin,
    }
    write(out, arrays, meta)


def channel_statistics(images: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean and (population) standard deviation per channel of uint8 `images / 255`, `(n, channels, ...)`.

    From each channel's histogram: exact sums, and no copy of the images in float.
    """
    values = np.arange(256) / 255
    means, stds = [], []
    for channel in range(images.shape[1]):
        frequency = np.bincount(images[:, channel].ravel(), minlength=256) / images[:, channel].size
        mean = frequency @ values
        means.append(float(mean))
        stds.append(float(np.sqrt(frequency @ (values - mean) ** 2)))
    return means, stds


def _read_idx(archive: Path) -> np.ndarray:
    """An idx file of unsigned bytes: 0, 0, type 8, number of dimensions, their big-endian sizes, the data."""
    content = gunzip(archive)
    dimensions = content[3] if content[:3] == b"\x00\x00\x08" and len(content) > 3 else 0
    shape = np.frombuffer(content[4 : 4 + 4 * dimensions], dtype=">u4").tolist()
    data = np.frombuffer(content[4 + 4 * dimensions :], dtype=np.uint8)
    if not dimensions or len(shape) != dimensions or np.prod(shape) != data.size:
        raise UserError(f"{archive} is not an idx file of bytes: delete it and download it again")
    return data.reshape(shape)


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


def _decode_classes(archive: Path, files: dict[str, bytes], part: str) -> Labelled:
    """The images of `part` ("train" or "test"), class by class; files are named `part/class/NNNN.jpg`."""
    images, labels = [], []
    for label, name in enumerate(CIFAR10_CLASSES):
        members = sorted(member for member in files if member.startswith(f"{part}/{name}/"))
        if not members:
            raise UserError(f"{archive} has no images in {part}/{name}: make or download it again")
        images += [_decode(archive, member, files[member]) for member in members]
        labels += [label] * len(members)
    return np.stack(images), np.array(labels)


def _decode(archive: Path, member: str, content: bytes) -> np.ndarray:
    """One image as uint8 (3, 32, 32)."""
    try:
        image = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    except (UnidentifiedImageError, OSError) as error:
        raise UserError(f"{archive}: {member} cannot be decoded ({error}): make or download it again") from error
    if image.shape != (32, 32, 3):
        raise UserError(f"{archive}: {member} is {image.shape[1]}x{image.shape[0]}: expected 32x32")
    return image.transpose(2, 0, 1)
