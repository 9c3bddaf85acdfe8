"""Files are whole or absent."""

import errno
import hashlib
import json
import math
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.files import atomic_path, canonical_json, sha256_file, sha256_text, write_bytes, write_json, write_text

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
)


def test_a_file_is_written_with_its_folders(tmp_path: Path):
    path = tmp_path / "a" / "b" / "file"
    write_bytes(path, b"content")
    assert path.read_bytes() == b"content"
    assert os.listdir(path.parent) == ["file"]


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_files_and_folders_get_the_mode_that_the_umask_leaves(umask: int, tmp_path: Path):
    before = os.umask(umask)
    try:
        write_bytes(tmp_path / "a" / "b" / "file", b"content")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "a/b/file")]
    assert modes == [0o777 & ~umask, 0o777 & ~umask, 0o666 & ~umask]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_what_was_there_and_no_debris(error: BaseException, tmp_path: Path):
    def write(path: Path) -> None:
        with atomic_path(path) as temporary:
            temporary.write_bytes(b"half")
            raise error

    write_text(tmp_path / "old", "earlier")
    for name in ("old", "new"):
        with pytest.raises(type(error)):
            write(tmp_path / name)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"old": "earlier"}


def test_a_file_is_synced_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    events = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append("sync"), sync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (events.append("rename"), replace(a, b)))
    write_text(tmp_path / "file", "content")
    assert events == ["sync", "rename"]


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path):
    write_text(tmp_path / "file", "old")
    with atomic_path(tmp_path / "file") as temporary:
        temporary.write_text("ne")
        assert (tmp_path / "file").read_text() == "old"
        temporary.write_text("new")
    assert (tmp_path / "file").read_text() == "new"


def test_a_name_as_long_as_the_file_system_takes_can_be_written(tmp_path: Path):
    path = tmp_path / "activation=" / ("x" * 200)
    write_text(path, "content")
    assert path.read_text() == "content"


@settings(deadline=None)
@given(content=plain)
def test_json_comes_back_as_it_went(content: object, tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.getbasetemp() / "any.json"
    write_json(path, content)
    assert json.loads(path.read_text()) == content


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_json_has_no_number_for_is_an_error_and_never_a_token(value: float, tmp_path: Path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "file.json", {"loss": value})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(value)
    assert not list(tmp_path.iterdir())


@settings(deadline=None)
@given(st.dictionaries(st.text(), plain, max_size=5), st.randoms())
def test_canonical_json_does_not_depend_on_the_order_of_keys(content: dict, random):
    items = list(content.items())
    random.shuffle(items)
    assert canonical_json(dict(items)) == canonical_json(content)
    assert json.loads(canonical_json(content)) == content


def test_canonical_json_is_pinned():
    """If this spelling changes, every cell's id does."""
    spec = {"seed": 0, "optimizer": {"lr": 0.05, "nesterov": True}, "clip": None, "name": "é"}
    assert canonical_json(spec) == r'{"clip":null,"name":"\u00e9","optimizer":{"lr":0.05,"nesterov":true},"seed":0}'


@settings(deadline=None)
@given(text=st.text())
def test_checksums_are_those_of_hashlib(text: str, tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.getbasetemp() / "any.txt"
    write_text(path, text)
    assert sha256_file(path) == sha256_text(text) == hashlib.sha256(text.encode()).hexdigest()
