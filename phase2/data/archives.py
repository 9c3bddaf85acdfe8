"""Archives that may be truncated, damaged or hostile: read whole, or refused by name."""

import gzip
import io
import lzma
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from phase2.data.disk import writing_in
from phase2.errors import UserError

AGAIN = "delete it and download it again"

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


def extract_tar(archive: Path, folder: Path, mend: str = AGAIN) -> None:
    """Unpacks a tar (plain, .gz, .xz) as the new folder `folder`, which appears whole or not at all.

    Raises `UserError` if the archive is missing, broken or empty (`mend` says what to do then), if a member is no
    file or folder inside it, if `folder` exists already, or if it cannot be written.
    """
    if folder.exists():
        raise UserError(f"cannot unpack {archive}: {folder} exists already. Remove it first")
    with writing_in(folder.parent), _whole(archive, mend), tarfile.open(archive) as tar:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            unpacked = Path(temporary) / folder.name
            for member in tar:
                if not _harmless(member):
                    raise UserError(
                        f"{archive} is refused: {member.name!r} is a link, a device or outside the folder. "
                        f"It is not what was published: {mend}"
                    )
                _unpack(tar, member, unpacked)
            if not unpacked.exists():
                raise UserError(f"{archive} is empty: {mend}")
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


def _unpack(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Writes a file or folder of a tar below `folder`, with the mode that the umask leaves."""
    path = folder / member.name
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
    elif source := tar.extractfile(member):
        path.parent.mkdir(parents=True, exist_ok=True)
        with source, open(path, "wb") as file:
            shutil.copyfileobj(source, file)


def _harmless(member: tarfile.TarInfo) -> bool:
    """Whether a member is a file or folder inside; tarfile's own filters came with Python 3.11.4."""
    path = PurePosixPath(member.name)
    return (member.isfile() or member.isdir()) and not path.is_absolute() and ".." not in path.parts


@contextmanager
def _whole(archive: Path, mend: str = AGAIN) -> Iterator[None]:
    """Turns what a missing or broken archive raises into a `UserError` that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"{archive} does not exist: download the dataset first") from error
    except BROKEN as error:
        reason = next(iter(str(error).splitlines()), "").rstrip(": ")  # tarfile lists what each of its readers said
        raise UserError(f"{archive} is truncated or damaged, or no archive at all ({reason}): {mend}") from error
