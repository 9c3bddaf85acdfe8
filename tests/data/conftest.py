"""Datasets in the publishers' formats, small, and the official addresses on loopback."""

import gzip
import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from dataset_formats import Labelled, checksum, cifar10_tar, idx, random_images, tar_of
from loopback import Site, serving

from phase2.data import sources


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as site:
        yield site


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHASE2_MIRROR", raising=False)


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch, site: Site) -> Callable[..., None]:
    """publish(dataset, {name: content}, before=[url]): the dataset's files are these, served by the site.

    An address in `before` is tried first, as `<url>/<name>`.
    """

    def publish(dataset: str, contents: dict[str, bytes], before: tuple[str, ...] = ()) -> None:
        files = []
        for file in sources.source_of(dataset).files:
            content = contents[file.name]
            algorithm = file.checksum.split(":")[0]
            hashed = gzip.decompress(content) if file.decompressed else content
            urls = tuple(f"{base}/{file.name}" for base in (*before, site.url))
            files.append(replace(file, checksum=checksum(algorithm, hashed), urls=urls))
        source = replace(sources.source_of(dataset), files=tuple(files))
        monkeypatch.setattr(f"phase2.data.sets.{dataset}.SOURCE", source)
        site.files |= contents

    return publish


@pytest.fixture
def full_disk() -> Callable[[int], AbstractContextManager[None]]:
    """full_disk(size): a block in which a file cannot grow beyond `size` bytes."""

    @contextmanager
    def full_disk(size: int) -> Iterator[None]:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    return full_disk


@pytest.fixture
def fashion() -> tuple[dict[str, bytes], Labelled, Labelled]:
    """Fashion-MNIST's four files with 60 and 20 images, and what is in them."""
    train, test = random_images(60, 1, 28, 28), random_images(20, 1, 28, 28)
    contents = {}
    for part, data in (("train", train), ("t10k", test)):
        contents[f"{part}-images-idx3-ubyte.gz"] = idx(data.images[:, 0])
        contents[f"{part}-labels-idx1-ubyte.gz"] = idx(data.labels)
    return contents, train, test


@pytest.fixture
def cifar10() -> tuple[bytes, Labelled, Labelled]:
    """A small archive of CIFAR-10's format with 50 and 10 images, and what is in it."""
    train, test = random_images(50, 3, 32, 32), random_images(10, 3, 32, 32)
    return cifar10_tar(train, test), train, test


@pytest.fixture
def write_jpeg_tar(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """write_jpeg_tar(files): the folder that holds cifar10-jpeg.tar.xz."""

    def write_jpeg_tar(files: dict[str, bytes]) -> Path:
        (tmp_path / "cifar10-jpeg.tar.xz").write_bytes(tar_of(files, "w:xz"))
        return tmp_path

    return write_jpeg_tar
