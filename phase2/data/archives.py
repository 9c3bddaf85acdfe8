"""Archives that may be truncated, damaged or hostile: read whole, or refused by name."""

import gzip
import io
import lzma
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phase2.data.disk import writing_in
from phase2.errors import UserError

BROKEN = (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError)
"""What Python raises for an archive that is truncated or damaged."""


def open_content(path: Path, name: str) -> io.BufferedIOBase:
    """The decompressed bytes of the file at `path`; the suffix of `name` (.gz, .xz or another) says how."""
    if name.endswith(".gz"):
        return gzip.GzipFile(path)
    return lzma.LZMAFile(path) if name.endswith(".xz") else open(path, "rb")


def gunzip(archive: Path) -> bytes:
    """The decompressed bytes of a .gz file; raises `UserError` if it is missing, truncated or damaged."""
    with _whole(archive), gzip.open(archive) as file:
        return file.read()


def extract_tar(archive: Path, folder: Path) -> None:
    """Unpacks a tar (plain, .gz, .xz) as the new folder `folder`, which appears whole or not at all.

    Raises `UserError` if the archive is missing or broken, if a member or link points outside the folder,
    if `folder` exists already, or if it cannot be written.
    """
    if folder.exists():
        raise UserError(f"cannot unpack {archive}: {folder} exists already. Remove it first")
    with writing_in(folder.parent), _whole(archive), tarfile.open(archive) as tar:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            unpacked = Path(temporary) / folder.name
            tar.extractall(unpacked, filter=_inside)
            os.replace(unpacked, folder)


def read_tar(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yields (name, bytes) of each regular file of a tar, in its order, and writes nothing.

    For archives of very many small files, whose unpacking costs more than reading them.
    Raises `UserError` if the archive is missing, truncated or damaged.
    """
    with _whole(archive), tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and (file := tar.extractfile(member)):
                yield member.name, file.read()


def _inside(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo:
    """tarfile's data filter, which refuses what leaves the folder; it would only strip a leading slash."""
    if member.name.startswith("/"):
        raise tarfile.AbsolutePathError(member)
    return tarfile.data_filter(member, folder)


@contextmanager
def _whole(archive: Path) -> Iterator[None]:
    """Turns what a missing, broken or hostile archive raises into a `UserError` that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"{archive} does not exist: download the dataset first") from error
    except tarfile.FilterError as error:
        raise UserError(
            f"{archive} is refused: {error}. It is not the publisher's: delete it and download it again"
        ) from error
    except BROKEN as error:
        raise UserError(f"{archive} is truncated or damaged ({error}): delete it and download it again") from error
