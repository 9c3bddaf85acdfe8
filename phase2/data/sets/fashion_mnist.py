"""Fashion-MNIST."""

from pathlib import Path

import numpy as np

from phase2.card import Card
from phase2.data.archives import gunzip
from phase2.data.images import write_images
from phase2.data.origin import DataFile, Source
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


def _file(name: str, checksum: str) -> DataFile:
    """The checksum is of the content, since the publisher's .gz and the package's were compressed apart."""
    bases = (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
    )
    return DataFile(name, f"sha256:{checksum}", decompressed=True, urls=tuple(f"{b}/{name}" for b in bases))


SOURCE = Source(
    files=(
        _file(
            "train-images-idx3-ubyte.gz",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ),
        _file(
            "train-labels-idx1-ubyte.gz",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        _file(
            "t10k-images-idx3-ubyte.gz",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ),
        _file(
            "t10k-labels-idx1-ubyte.gz",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ),
    origin="Fashion-MNIST, 28x28 grey images of Zalando's articles",
    licence="MIT",
    citation="H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017",
    system_folder="fashion-mnist",
    fix="install the package: apt install dataset-fashion-mnist; or check the network",
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
    write_images(out, SOURCE, "fashion_mnist", FASHION_MNIST_CLASSES, train, test)


def _read_idx(archive: Path) -> np.ndarray:
    """An idx file of unsigned bytes: 0, 0, type 8, number of dimensions, their big-endian sizes, the data."""
    content = gunzip(archive)
    dimensions = content[3] if content[:3] == b"\x00\x00\x08" and len(content) > 3 else 0
    shape = np.frombuffer(content[4 : 4 + 4 * dimensions], dtype=">u4").tolist()
    data = np.frombuffer(content[4 + 4 * dimensions :], dtype=np.uint8)
    if not dimensions or len(shape) != dimensions or np.prod(shape) != data.size:
        raise UserError(f"{archive} is not an idx file of bytes: delete it and download it again")
    return data.reshape(shape)
