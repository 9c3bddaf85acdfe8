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
from pathlib import Path

from filelock import FileLock

from phase2.data.archives import extract_tar
from phase2.errors import UserError
from phase2.files import atomic_path, canonical_json, sha256_file, sha256_text, write_json
from phase2.study.cell import Cell

MANIFEST = "manifest.json"
KEY = re.compile("[0-9a-f]{64}")


def key_of(cell: Cell, code: str, data: str) -> str:
    """The address of a cell's result."""
    return sha256_text(canonical_json({"spec": cell.spec, "code": code, "data": data}))


class Store:
    """A folder of finished cells."""

    def __init__(self, root: Path):
        self.root = Path(root)

    def _folder(self, key: str) -> Path:
        return self.root / key[:2] / key

    def __iter__(self) -> Iterator[str]:
        """The keys of all entries."""
        return (folder.name for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]/*")) if (folder / MANIFEST).exists())

    def put(self, key: str, source: Path) -> None:
        """Takes the files of the folder `source` in as the entry `key`, replacing one that is there."""
        self.root.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=self.root, prefix=".new-"))
        try:
            for file in sorted(source.iterdir()):
                shutil.copyfile(file, staging / file.name)
            write_json(staging / MANIFEST, {file.name: sha256_file(file) for file in sorted(staging.iterdir())})
            staging.chmod(0o755)
            with FileLock(self.root / ".lock"):  # two runs may put one key at the same moment
                self._swap_in(staging, self._folder(key))
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _swap_in(self, staging: Path, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            os.rename(folder, staging.with_name(staging.name + "-old"))
        os.rename(staging, folder)
        shutil.rmtree(staging.with_name(staging.name + "-old"), ignore_errors=True)

    def holds(self, key: str, names: Iterable[str]) -> bool:
        """Whether an entry is there with these files, whole. A damaged one is moved to `corrupt/` and is not there."""
        folder = self._folder(key)
        if not (folder / MANIFEST).exists():
            return False
        if problem := _problem(folder):
            self._set_aside(folder, problem)
            return False
        return all((folder / name).exists() for name in names)

    def restore(self, key: str, files: dict[str, Path]) -> None:
        """Copies the named files of an entry to their destinations; raises `UserError` if they are not there, whole."""
        if not self.holds(key, files):
            raise UserError(f"the cell store {self.root} has no whole entry {key[:12]}: run again, and it is trained")
        for name, destination in files.items():
            with atomic_path(destination) as temporary:
                shutil.copyfile(self._folder(key) / name, temporary)

    def _set_aside(self, folder: Path, problem: str) -> None:
        aside = self.root / "corrupt" / f"{folder.name}-{time.time_ns()}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        os.rename(folder, aside)
        print(f"cell store: {folder.name[:12]} is damaged ({problem}); moved to {aside}, the cell is trained again")

    def export(self, archive: Path) -> int:
        """Writes every entry into one .tar; returns their number. Raises `UserError` if there are none."""
        keys = list(self)
        if not keys:
            raise UserError(f"the cell store {self.root} is empty: train some cells before you export them")
        with atomic_path(archive) as temporary, tarfile.open(temporary, "w") as tar:
            for key in keys:
                tar.add(self._folder(key), arcname=key)
        return len(keys)

    def import_(self, archive: Path) -> tuple[int, int]:
        """Takes in the entries of an archive that are whole and not yet here; returns (taken, refused)."""
        if not Path(archive).is_file():
            raise UserError(f"no archive {archive}: expected a .tar that `phase2 store export` wrote")
        self.root.mkdir(parents=True, exist_ok=True)
        taken = refused = 0
        with tempfile.TemporaryDirectory(dir=self.root, prefix=".import-") as name:
            incoming = Path(name) / "entries"
            extract_tar(Path(archive), incoming)
            for folder in sorted(incoming.iterdir()):
                if not KEY.fullmatch(folder.name) or _problem(folder):
                    refused += 1
                elif not (self._folder(folder.name) / MANIFEST).exists():
                    self._swap_in(folder, self._folder(folder.name))
                    taken += 1
        return taken, refused


def _problem(folder: Path) -> str | None:
    """What is wrong with an entry's files, or None."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        for name, checksum in manifest.items():
            if sha256_file(folder / name) != checksum:
                return f"{name} does not match its checksum"
    except (OSError, ValueError, AttributeError) as error:
        return str(error)
    return None
