"""SHA-256 of files, each read once: what was read is remembered with the file's size and times.

A file is read again when its size, its time of modification, its inode or its ctime is another one. Programs set a
file's time of modification as they like (`touch`, `cp -p`, `dvc pull`), its ctime none: so a changed file is noticed.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from phase2.files import files_below, sha256_file, sha256_text

REMEMBERED = Path(".phase2/checksums.sqlite")
SETTLED = 1_000_000_000  # ns: a file that was changed later than this ago may be changed once more within one tick
TIMESTAMP = ".snakemake_timestamp"  # Snakemake's own, in folders that are outputs


class Checksums:
    """Checksums by path. `remembered` is a database in an existing folder; without one every file is read.

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as empty:
    ...     Checksums(None).of(empty.name)[:8]
    'e3b0c442'
    """

    def __init__(self, remembered: Path | None = REMEMBERED):
        self._database = remembered if remembered and remembered.parent.is_dir() else None
        self._known: dict[str, tuple[str, str]] = dict(self._read())
        self._new: dict[str, tuple[str, str]] = {}

    def of(self, path: Path | str) -> str | None:
        """The SHA-256 of a file, or of the names and contents of all files in a folder; None if it cannot be read."""
        with suppress(OSError):
            if os.path.isdir(path):
                files = (file for file in files_below(Path(path)) if file.name != TIMESTAMP)
                return sha256_text("\n".join(f"{file.relative_to(path)} {self.of(file)}" for file in files))
            return self._of_file(path)
        return None

    def _of_file(self, path: Path | str) -> str:
        status = os.stat(path)
        key, stamp = os.path.abspath(path), _stamp(status)
        if key in self._known and self._known[key][0] == stamp:
            return self._known[key][1]
        checksum = sha256_file(Path(path))
        self._known[key] = (stamp, checksum)
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > SETTLED:
            self._new[key] = self._known[key]
        return checksum

    def remember(self) -> None:
        """Keeps what was read for the next process. Where that fails, the next one reads the files again."""
        if self._database and self._new:
            with suppress(sqlite3.Error, OSError), closing(_connected(self._database)) as database, database:
                rows = ((key, *value) for key, value in self._new.items())
                database.executemany("insert or replace into checksums values (?, ?, ?)", rows)
            self._new = {}

    def _read(self) -> Iterator[tuple[str, tuple[str, str]]]:
        if self._database:
            try:
                with closing(_connected(self._database)) as database:
                    for path, stamp, checksum in database.execute("select path, stamp, checksum from checksums"):
                        yield path, (stamp, checksum)
            except (sqlite3.OperationalError, OSError):  # locked by another run, or not ours to write
                return
            except sqlite3.DatabaseError:  # damaged: made anew
                self._database.unlink(missing_ok=True)


def _connected(path: Path) -> sqlite3.Connection:
    if not path.exists():
        path.touch()  # with the umask's mode, so that a group can share it; SQLite would take 0644
    database = sqlite3.connect(path, timeout=10)
    database.execute("create table if not exists checksums (path text primary key, stamp text, checksum text)")
    return database


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"
