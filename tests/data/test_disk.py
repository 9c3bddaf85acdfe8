"""A disk without room is named, with what to do about it."""

import errno
import os
import tempfile
from pathlib import Path

import pytest

from phase2.data.disk import scratch_folder
from phase2.errors import UserError

FULL = os.strerror(errno.ENOSPC)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def fail_in_scratch(error: OSError) -> None:
    with scratch_folder() as folder:
        (folder / "file").write_bytes(b"half")
        raise error


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, FULL), OSError(errno.EDQUOT, "Disk quota exceeded"), OSError([("a", "b", f"[28] {FULL}")])],
    ids=["full", "quota", "while copying a tree"],
)
def test_a_full_disk_of_temporary_files_is_named_with_the_variable_that_moves_them(error: OSError, place: Path):
    with pytest.raises(UserError, match=rf"^no room for temporary files in {place}: .* `export TMPDIR=/big/disk/tmp`"):
        fail_in_scratch(error)
    assert not list(place.iterdir())


def test_another_failure_stays_what_it_is_and_leaves_nothing(place: Path):
    with pytest.raises(FileNotFoundError):
        fail_in_scratch(FileNotFoundError(errno.ENOENT, "No such file"))
    assert not list(place.iterdir())
