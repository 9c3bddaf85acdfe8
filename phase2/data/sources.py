"""Where each dataset comes from, and how it gets here verified. Imports no torch: the Snakefile reads it."""

import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from phase2 import registry
from phase2.data.archives import BROKEN, open_content
from phase2.data.disk import writing_in
from phase2.data.origin import DataFile, Source
from phase2.data.transfer import Unavailable, fetch
from phase2.errors import UserError
from phase2.files import atomic_path

SYSTEM_ROOTS = (Path("/usr/share/datasets"),)
"""Folders below which the system's packages install datasets."""


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
    source = source_of(dataset)
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
    for file in source_of(dataset).files:
        if fault := _fault(file, folder / file.name):
            raise UserError(f"{folder / file.name}: {fault}. Delete it and download {dataset} again")
        algorithm, checksum = file.checksum.split(":")
        hashes[file.name] = checksum if algorithm == "sha256" else _digest(file, folder / file.name, "sha256")
    return hashes


def raw_folder(dataset: str, data: Path) -> Path:
    """Where the files of a data set lie that it is prepared from: the user's own folder, or one below `data`."""
    own = registry.part("dataset", dataset).card.traits.get("folder")
    return Path(own) if own else data / "raw" / dataset


def source_of(dataset: str) -> Source:
    """Where a data set comes from; raises `UserError` for an unknown one."""
    return import_module(registry.part("dataset", dataset).module).SOURCE


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
        + f"or {source_of(dataset).fix}."
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
    if folder := source_of(dataset).system_folder:
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
