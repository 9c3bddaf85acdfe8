"""The publishers' file formats, written small."""

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from PIL import Image

from phase2.data.sets.cifar10 import CIFAR10_CLASSES


def checksum(algorithm: str, content: bytes) -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def idx(array: np.ndarray) -> bytes:
    """An idx file of unsigned bytes, gzipped."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes())


@dataclass
class Labelled:
    images: np.ndarray
    labels: np.ndarray


def random_images(n: int, *shape: int) -> Labelled:
    generator = np.random.default_rng(n)
    return Labelled(generator.integers(0, 256, (n, *shape)).astype(np.uint8), generator.permutation(np.arange(n) % 10))


class Python2Pickler(pickle._Pickler):
    """Pickles like the Python 2 that wrote CIFAR-10: byte strings as `str`, NumPy under its old name."""

    dispatch: ClassVar[dict] = dict(pickle._Pickler.dispatch)

    def save_string(self, content: bytes) -> None:
        self.write(pickle.BINSTRING + struct.pack("<i", len(content)) + content)
        self.memoize(content)

    dispatch[bytes] = save_string
    dispatch[str] = lambda self, text: self.save_string(text.encode())

    def save_global(self, thing: object, name: str | None = None) -> None:
        module = thing.__module__.replace("numpy._core", "numpy.core")
        self.write(pickle.GLOBAL + f"{module}\n{thing.__name__}\n".encode())
        self.memoize(thing)

    dispatch[type] = save_global
    dispatch[type(len)] = save_global


def python2_pickle(content: object) -> bytes:
    file = io.BytesIO()
    Python2Pickler(file, protocol=2).dump(content)
    return file.getvalue()


def tar_of(files: dict[str, bytes], mode: str) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode=mode) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def cifar10_tar(train: Labelled, test: Labelled) -> bytes:
    """The publisher's archive: five training batches and one of test images, as pickled dicts."""
    batches = {
        f"data_batch_{i + 1}": Labelled(images, labels)
        for i, (images, labels) in enumerate(zip(np.split(train.images, 5), np.split(train.labels, 5), strict=True))
    }
    files = {
        f"cifar-10-batches-py/{name}": python2_pickle(
            {
                "batch_label": name,
                "labels": batch.labels.tolist(),
                "data": batch.images.reshape(len(batch.labels), -1),
                "filenames": [f"{i}.png" for i in range(len(batch.labels))],
            }
        )
        for name, batch in (batches | {"test_batch": test}).items()
    }
    return tar_of(files, "w:gz")


def jpeg(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=95)
    return file.getvalue()


def flat_jpegs(train: int = 2, test: int = 1) -> dict[str, bytes]:
    """Images of one grey each, class k's i-th at 20 k + 5 i, listed backwards."""
    return {
        f"{part}/{name}/{i:04}.jpg": jpeg(np.full((32, 32, 3), 20 * k + 5 * i, np.uint8))
        for part, count in (("train", train), ("test", test))
        for k, name in reversed(list(enumerate(CIFAR10_CLASSES)))
        for i in reversed(range(count))
    }
