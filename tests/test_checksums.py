"""Checksums are those of the bytes, however often and whatever the times."""

import os
import sqlite3
from pathlib import Path

import pytest

from phase2 import checksums as module
from phase2.checksums import Checksums
from phase2.files import sha256_text


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "checksums.sqlite"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "SETTLED", -(10**12))  # also a file that was only now written is remembered
    (tmp_path / "file").write_text("some text")
    return tmp_path / "file"


def remembered(database: Path, path: Path) -> str | None:
    """The checksum that a process finds and keeps for the next."""
    checksums = Checksums(database)
    checksum = checksums.of(path)
    checksums.remember()
    return checksum


def test_a_file_is_read_once(file: Path, database: Path, monkeypatch: pytest.MonkeyPatch):
    assert remembered(database, file) == sha256_text("some text")
    monkeypatch.setattr(module, "sha256_file", lambda path: pytest.fail(f"{path} is read again"))
    assert remembered(database, file) == sha256_text("some text")


def test_another_content_of_equal_size_and_time_is_noticed(file: Path, database: Path):
    remembered(database, file)
    before = file.stat()
    file.write_text("same size")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert remembered(database, file) == sha256_text("same size")


def test_what_changed_this_very_moment_is_not_kept(file: Path, database: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "SETTLED", 10**12)
    remembered(database, file)
    with sqlite3.connect(database) as rows:
        assert not rows.execute("select * from checksums").fetchall()
    rows.close()


def test_a_folder_has_the_checksum_of_its_files_and_their_names(tmp_path: Path):
    checksums = []
    for name, text in (("a", "1"), ("a", "2"), ("b", "2")):
        folder = tmp_path / f"{name}{text}"
        (folder / "inner").mkdir(parents=True)
        (folder / "inner" / name).write_text(text)
        checksums.append(Checksums(None).of(folder))
        (folder / ".snakemake_timestamp").touch()
        assert Checksums(None).of(folder) == checksums[-1]
    assert len(set(checksums)) == 3
    assert Checksums(None).of(tmp_path / "none") is None


def test_a_folder_that_is_a_link_has_the_checksum_of_what_lies_there(tmp_path: Path):
    for text in ("1", "2"):
        (tmp_path / text / "class").mkdir(parents=True)
        (tmp_path / text / "class" / "image").write_text(text)
        data = tmp_path / f"data{text}"
        (data / "inner").mkdir(parents=True)
        (data / "train").symlink_to(tmp_path / text)
        (data / "inner" / "class").symlink_to(tmp_path / text / "class")
        (data / "inner" / "itself").symlink_to(data)
    first, second = (Checksums(None).of(tmp_path / name) for name in ("data1", "data2"))
    assert first != second
    (tmp_path / "2" / "class" / "image").write_text("1")
    assert Checksums(None).of(tmp_path / "data2") == first


def test_what_cannot_be_read_has_no_checksum(tmp_path: Path):
    (tmp_path / "loop").symlink_to("loop")
    assert Checksums(None).of(tmp_path / "loop") is None


@pytest.mark.parametrize("umask", [0o022, 0o002])
def test_the_database_has_the_mode_that_the_umask_leaves(umask: int, file: Path, database: Path):
    before = os.umask(umask)
    try:
        remembered(database, file)
    finally:
        os.umask(before)
    assert database.stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_damaged_database_is_made_anew(file: Path, database: Path):
    database.write_bytes(b"no database at all, but some hundred bytes of text" * 100)
    assert remembered(database, file) == sha256_text("some text")
    assert remembered(database, file) == sha256_text("some text")
    assert sqlite3.connect(database).execute("select count(*) from checksums").fetchone() == (1,)
