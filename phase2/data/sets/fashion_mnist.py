"""Fashion-MNIST."""

from pathlib import Path

import numpy as np

from phase2.card import Card
from phase2.data.archives import gunzip
from phase2.data.images import write_images
from phase2.errors import UserError

CARD = Card(
    "dataset",
    "prepare_fashion_mnist",
    label="Fashion-MNIST",
    definition="Fashion-MNIST",
    cites="xiao2017",
    order=2,
    traits={"holds": "images"},
)


FASHION_MNIST_CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
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
    write_images(out, "fashion_mnist", FASHION_MNIST_CLASSES, train, test)


def _read_idx(archive: Path) -> np.ndarray:
    """An idx file of unsigned bytes: 0, 0, type 8, number of dimensions, their big-endian sizes, the data."""
    content = gunzip(archive)
    dimensions = content[3] if content[:3] == b"\x00\x00\x08" and len(content) > 3 else 0
    shape = np.frombuffer(content[4 : 4 + 4 * dimensions], dtype=">u4").tolist()
    data = np.frombuffer(content[4 + 4 * dimensions :], dtype=np.uint8)
    if not dimensions or len(shape) != dimensions or np.prod(shape) != data.size:
        raise UserError(f"{archive} is not an idx file of bytes: delete it and download it again")
    return data.reshape(shape)
