"""One file from a URL (http, https or file) to a path, retried, with the bytes shown on a terminal."""

import http.client
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

ATTEMPTS = 2
CHUNK = 1 << 20  # bytes
USER_AGENT = "phase2/0.1 (dataset download)"


class Unavailable(Exception):
    """A source did not give the file; the message says why. The next source may."""


def fetch(url: str, target: Path, timeout: float) -> None:
    """Writes what `url` serves to `target`; `timeout` seconds without a byte end one of `ATTEMPTS` attempts.

    Raises `Unavailable` if the source fails or ends early, `OSError` if `target` cannot be written.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _fetch_once(url, target, timeout)
        except Unavailable:
            if attempt == ATTEMPTS:
                raise


def _fetch_once(url: str, target: Path, timeout: float) -> None:
    with _open(url, timeout) as (stream, size), _progress(url, size) as advance, open(target, "wb") as out:
        while chunk := _read(stream):
            out.write(chunk)
            advance(len(chunk))
        if size is not None and out.tell() != size:
            raise Unavailable(f"truncated: {out.tell():,} of {size:,} bytes arrived")


@contextmanager
def _open(url: str, timeout: float) -> Iterator[tuple[BinaryIO, int | None]]:
    """The stream behind `url`, and its size in bytes if the server tells."""
    request = urllib.request.Request(url, headers={"User-Agent": USER_AGENT})
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        raise Unavailable(str(error)) from error
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(_reason(error)) from error
    with response:
        length = response.headers.get("Content-Length")
        yield response, None if length is None else int(length)


def _read(stream: BinaryIO) -> bytes:
    """The next chunk; the source's errors are told apart from those of the disk that is written."""
    try:
        return stream.read(CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(_reason(error)) from error


def _reason(error: Exception) -> str:
    """The error in words: a `URLError` wraps the one that says why."""
    cause = getattr(error, "reason", error)
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


@contextmanager
def _progress(url: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """Yields what advances the bar by a number of bytes; without a terminal there is no bar."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    # imported here: the Snakefile's top level imports the sources in every job
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task(url.rsplit("/", 1)[-1], total=size)
        yield lambda count: bar.advance(task, count)
