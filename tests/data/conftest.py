"""Small archives in the publishers' formats, and a server on loopback that stands for the official addresses."""

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from phase2.data import sources
from phase2.data.vision import CIFAR10_CLASSES


@dataclass
class Site:
    """What the server serves; a path in `cut` announces all its bytes and sends half of them."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    agents: set[str | None] = field(default_factory=set)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            served.requests.append(name)
            served.agents.add(self.headers["User-Agent"])
            if name not in served.files:
                self.send_error(404)
                return
            content = served.files[name]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if name in served.cut else content)

        def log_message(self, *arguments: object) -> None: ...

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Site(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHASE2_MIRROR", raising=False)


def checksum(algorithm: str, content: bytes) -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch, site: Site) -> Callable[..., None]:
    """publish(dataset, {name: content}): the dataset's source now has these files at the site."""

    def publish(dataset: str, contents: dict[str, bytes], serve: bool = True) -> None:
        files = []
        for file in sources.SOURCES[dataset].files:
            content = contents[file.name]
            algorithm = file.checksum.split(":")[0]
            hashed = gzip.decompress(content) if file.decompressed else content
            urls = (f"{site.url}/{file.name}",)
            files.append(replace(file, checksum=checksum(algorithm, hashed), urls=urls))
        monkeypatch.setitem(
            sources.SOURCES, dataset, replace(sources.SOURCES[dataset], files=tuple(files))
        )
        if serve:
            site.files |= contents

    return publish


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
    return Labelled(
        generator.integers(0, 256, (n, *shape)).astype(np.uint8), generator.permutation(np.arange(n) % 10)
    )


@pytest.fixture
def fashion() -> tuple[dict[str, bytes], Labelled, Labelled]:
    """Fashion-MNIST's four files with 60 and 20 images, and what is in them."""
    train, test = random_images(60, 1, 28, 28), random_images(20, 1, 28, 28)
    contents = {}
    for part, data in (("train", train), ("t10k", test)):
        contents[f"{part}-images-idx3-ubyte.gz"] = idx(data.images[:, 0])
        contents[f"{part}-labels-idx1-ubyte.gz"] = idx(data.labels)
    return contents, train, test


class Python2Pickler(pickle._Pickler):
    """Pickles like the Python 2 that wrote CIFAR-10: byte strings as `str`, NumPy under its old name."""

    dispatch = dict(pickle._Pickler.dispatch)

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
        for i, (images, labels) in enumerate(
            zip(np.split(train.images, 5), np.split(train.labels, 5), strict=True)
        )
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


@pytest.fixture
def cifar10() -> tuple[bytes, Labelled, Labelled]:
    """A small archive of CIFAR-10's format with 50 and 10 images, and what is in it."""
    train, test = random_images(50, 3, 32, 32), random_images(10, 3, 32, 32)
    return cifar10_tar(train, test), train, test


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


@pytest.fixture
def write_jpeg_tar(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """write_jpeg_tar(files): the folder that holds cifar10-jpeg.tar.xz."""

    def write_jpeg_tar(files: dict[str, bytes]) -> Path:
        (tmp_path / "cifar10-jpeg.tar.xz").write_bytes(tar_of(files, "w:xz"))
        return tmp_path

    return write_jpeg_tar
