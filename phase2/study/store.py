"""The cell store: finished cells, content-addressed, so that nothing is trained twice.

An entry is a folder named by the SHA-256 of (spec, code fingerprint, data hash). It holds the cell's own files and a
manifest of their checksums; it appears by a rename, so it is whole or absent. The store outlives any configuration and
travels: it can be filled where there is no Snakemake, exported, and imported elsewhere.
"""

import json
import os
import re
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock

from phase2.data.archives import extract_tar
from phase2.errors import UserError
from phase2.files import atomic_path, canonical_json, sha256_file, sha256_text, write_json
from phase2.study.cell import Cell
from phase2.study.results import METRICS, whole_metrics

MANIFEST = "manifest.json"
KEY = re.compile("[0-9a-f]{64}")
STAGING, IMPORTING, CORRUPT = ".new-", ".import-", "corrupt"


def key_of(cell: Cell, code: str, data: str) -> str:
    """The address of a cell's result."""
    return sha256_text(canonical_json({"spec": cell.spec, "code": code, "data": data}))


class Store:
    """A folder of finished cells."""

    def __init__(self, root: Path):
        self.root = Path(root)
        # Held while an entry is replaced or copied out. It is asked for often, and never held for long.
        self._lock = FileLock(self.root / ".lock", poll_interval=0.01)

    def folder(self, key: str) -> Path:
        """Where the entry of this key is, if there is one."""
        return self.root / key[:2] / key

    def __iter__(self) -> Iterator[str]:
        """The keys of all entries."""
        return (folder.name for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]/*")) if (folder / MANIFEST).exists())

    def problems(self) -> Iterator[tuple[str, str]]:
        """The keys of damaged entries, each with what is wrong with it."""
        return ((key, problem) for key in self if (problem := _problem(self.folder(key))))

    def put(self, key: str, source: Path) -> None:
        """Takes the files of the folder `source` in as the entry `key`, unless a whole one has them all."""
        self.root.mkdir(parents=True, exist_ok=True)
        staging = self.root / f"{STAGING}{uuid4().hex}"
        staging.mkdir()
        try:
            for file in sorted(source.iterdir()):
                shutil.copyfile(file, staging / file.name)
            write_json(staging / MANIFEST, {file.name: sha256_file(file) for file in sorted(staging.iterdir())})
            self._take(staging, key)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _take(self, incoming: Path, key: str) -> bool:
        """Makes a whole folder the entry `key`, unless one is there that is whole and lacks no file of it.

        What two trainings of one key give is the same, so of two entries the one with more files is the better; files
        of the two are never mixed, since their last bits may differ with the number of lanes.
        """
        folder = self.folder(key)
        with self._lock:  # two runs may put one key at the same moment
            if (folder / MANIFEST).exists() and not _problem(folder) and _names(folder) >= _names(incoming):
                return False
            old = self._hidden(folder)
            folder.parent.mkdir(parents=True, exist_ok=True)
            os.rename(incoming, folder)
        shutil.rmtree(old, ignore_errors=True)
        return True

    def drop(self, key: str) -> None:
        """Removes the entry of this key."""
        with self._lock:
            old = self._hidden(self.folder(key))
        shutil.rmtree(old, ignore_errors=True)

    def _hidden(self, folder: Path) -> Path:
        """Renames an entry, if it is there, to a name that is none; returns it."""
        hidden = self.root / f"{STAGING}{uuid4().hex}"
        with suppress(FileNotFoundError):
            os.rename(folder, hidden)
        return hidden

    def holds(self, key: str, names: Iterable[str]) -> bool:
        """Whether an entry is there with these files, whole. A damaged one is moved to `corrupt/` and is not there."""
        folder = self.folder(key)
        if not (folder / MANIFEST).exists():
            return False
        if _problem(folder):
            with self._lock:  # unless it was being replaced just then
                if problem := _problem(folder):
                    self._set_aside(folder, problem)
                    return False
        return _names(folder) >= set(names)

    def restore(self, key: str, files: dict[str, Path]) -> None:
        """Copies the named files of an entry to their destinations; raises `UserError` if they are not there, whole."""
        with self._lock:  # all files are of one entry, also if a fuller one is put at this moment
            if not self.holds(key, files):
                raise UserError(
                    f"the cell store {self.root} has no whole entry {key[:12]}: run again, and it is trained"
                )
            for name, destination in files.items():
                with atomic_path(destination) as temporary:
                    shutil.copyfile(self.folder(key) / name, temporary)

    def _set_aside(self, folder: Path, problem: str) -> None:
        aside = self.root / CORRUPT / f"{folder.name}-{time.time_ns()}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another process did
            os.rename(folder, aside)
            print(f"cell store: {folder.name[:12]} is damaged ({problem}); moved to {aside}, the cell is trained again")

    def export(
        self, archive: Path, keys: Iterable[str] | None = None, names: Iterable[str] | None = None
    ) -> tuple[int, list[str]]:
        """Writes every whole entry, or those of `keys`, into one .tar, or .tar.xz by its name; of each all files, or
        those of `names`. Returns how many it wrote, and the keys of the damaged, which it left out.

        One set of entries makes one sequence of bytes. Raises `UserError` if there is none to write.
        """
        keys = list(self) if keys is None else sorted(keys)
        damaged = [key for key in keys if _problem(self.folder(key))]
        if len(damaged) == len(keys):
            state = "holds damaged entries alone" if damaged else "is empty"
            raise UserError(f"the cell store {self.root} {state}: train some cells before you export them")
        mode: Any = "w:xz" if archive.name.endswith(".xz") else "w"
        with atomic_path(archive) as temporary, tarfile.open(temporary, mode) as tar:
            for key in keys:
                if key not in damaged:
                    _add(tar, self.folder(key), names)
        return len(keys) - len(damaged), damaged

    def import_(self, archive: Path) -> tuple[int, int]:
        """Takes in the entries of an archive that are whole and here lacking, damaged or with fewer files.

        Returns how many were taken and how many refused: damaged ones, and such as hold another cell's files.
        Raises `UserError` if the archive is missing, broken or empty.
        """
        if not Path(archive).is_file():
            raise UserError(f"no archive {archive}: expected a .tar that `phase2 store export` wrote")
        self.root.mkdir(parents=True, exist_ok=True)
        taken = refused = 0
        with tempfile.TemporaryDirectory(dir=self.root, prefix=IMPORTING) as name:
            incoming = Path(name) / "entries"
            extract_tar(Path(archive), incoming, mend="export the cells again with `phase2 store export`")
            for folder in sorted(incoming.iterdir()):
                if not KEY.fullmatch(folder.name) or _problem(folder):
                    refused += 1
                else:
                    taken += self._take(folder, folder.name)
        return taken, refused


def _add(tar: tarfile.TarFile, folder: Path, names: Iterable[str] | None) -> None:
    """Adds an entry with those of its files, and their manifest. No time or user of this machine gets into it."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    kept = {name: checksum for name, checksum in manifest.items() if names is None or name in names}
    files = {name: (folder / name).read_bytes() for name in kept}
    for name, content in sorted(files.items() | {(MANIFEST, canonical_json(kept).encode())}):
        member = tarfile.TarInfo(f"{folder.name}/{name}")
        member.size = len(content)
        tar.addfile(member, BytesIO(content))


def _names(folder: Path) -> set[str]:
    """The names of a whole entry's files."""
    return set(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))


def _problem(folder: Path) -> str | None:
    """What is wrong with an entry's files, or None. Whole files of another cell are wrong too."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        for name, checksum in manifest.items():
            if sha256_file(folder / name) != checksum:
                return f"{name} does not match its checksum"
        metrics = whole_metrics(folder / METRICS)
        cell = Cell("", (), canonical_json(metrics["spec"]))
        key = key_of(cell, metrics["provenance"]["code"], metrics["provenance"]["data"])
        if (key, cell.id) != (folder.name, metrics["id"]):
            return f"its files are those of another cell, {cell.id}"
        if wrong := [name for name, checksum in metrics["files"].items() if manifest.get(name, checksum) != checksum]:
            return f"{wrong[0]} is not the one that its metrics name"
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        return f"{METRICS} has no {error}" if isinstance(error, KeyError) else str(error)
    return None
