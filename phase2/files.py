"""Files that are either whole or absent: atomic writes, and the checksums that prove what was read."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; on success it is fsynced and renamed onto `path`.

    It has the mode that the umask leaves, as any program's file: one of `tempfile` would be hidden from the group.
    If the block raises (a full disk, a signal), `path` keeps what it held before and the temporary goes.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def write_bytes(path: Path, content: bytes) -> None:
    """Writes `content` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Writes `content` to `path` atomically, as UTF-8."""
    write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> None:
    """Writes `content` to `path` atomically, indented, in the order given; NaN is an error, never a token."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def canonical_json(content: Any) -> str:
    """The one spelling of `content` that hashes are taken of: sorted keys, no spaces."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def files_below(folder: Path, above: tuple[str, ...] = ()) -> list[Path]:
    """All files in a folder and in those below it, sorted. Links are followed, but not to a folder of those `above`."""
    place = os.path.realpath(folder)
    if place in above:
        return []
    inside = list(folder.iterdir())
    found = [path for path in inside if path.is_file()]
    for path in inside:
        if path.is_dir():
            found += files_below(path, (*above, place))
    return sorted(found)


def sha256_text(text: str) -> str:
    """SHA-256 of a text's UTF-8 bytes, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
