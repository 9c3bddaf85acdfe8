"""The cell store: entries are whole or absent, and travel."""

import errno
import os
import shutil
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import cells, tree

from phase2.errors import UserError
from phase2.files import sha256_text
from phase2.study.store import MANIFEST, Store, key_of

KEYS = [sha256_text(name) for name in ("one", "two", "three")]
FILES = {"history.csv": b"epoch\n1\n", "metrics.json": b"{}", "best.safetensors": bytes(range(256))}


def folder_of(path: Path, files: dict[str, bytes]) -> Path:
    path.mkdir(parents=True)
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with three entries of the same files."""
    store = Store(tmp_path / "store")
    source = folder_of(tmp_path / "source", FILES)
    for key in KEYS:
        store.put(key, source)
    return store


def entry(store: Store, key: str = KEYS[0]) -> Path:
    return store.root / key[:2] / key


@settings(deadline=None)
@given(files=st.dictionaries(st.from_regex(r"[a-z]{1,8}\.csv", fullmatch=True), st.binary(max_size=99), min_size=1))
def test_what_is_put_comes_back(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("roundtrip")
    store = Store(root / "store")
    store.put(KEYS[0], folder_of(root / "source", files))
    store.restore(KEYS[0], {name: root / "out" / name for name in files})
    assert {path.name: path.read_bytes() for path in (root / "out").iterdir()} == files


def test_a_key_depends_on_spec_code_and_data():
    one, other = cells()[:2]
    keys = [key_of(one, "c", "d"), key_of(other, "c", "d"), key_of(one, "x", "d"), key_of(one, "c", "x")]
    assert len(set(keys)) == 4
    assert key_of(one, "c", "d") == keys[0]


def test_restoring_fewer_files_than_there_are_restores_those(store: Store, tmp_path: Path):
    store.restore(KEYS[0], {"metrics.json": tmp_path / "out" / "metrics.json"})
    assert os.listdir(tmp_path / "out") == ["metrics.json"]


def test_an_entry_without_a_wanted_file_does_not_hold_it_and_stays(store: Store, tmp_path: Path):
    assert not store.holds(KEYS[0], [*FILES, "epoch=01.safetensors"])
    assert store.holds(KEYS[0], FILES)
    with pytest.raises(UserError, match=f"no whole entry {KEYS[0][:12]}: run again, and it is trained"):
        store.restore(KEYS[0], {"epoch=01.safetensors": tmp_path / "out"})


def test_a_fuller_entry_replaces_the_one_that_is_there(store: Store, tmp_path: Path):
    fuller = FILES | {"epoch=01.safetensors": b"weights"}
    store.put(KEYS[0], folder_of(tmp_path / "fuller", fuller))
    assert store.holds(KEYS[0], fuller)
    assert list(store) == sorted(KEYS)


def fail_second(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """The second file that the store copies fails, half of it written."""
    copies = []
    copy = shutil.copyfile

    def copyfile(source: Path, target: Path) -> None:
        copies.append(target)
        copy(source, target)
        if len(copies) == 2:
            os.truncate(target, target.stat().st_size // 2)
            raise error

    monkeypatch.setattr("phase2.study.store.shutil.copyfile", copyfile)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_an_entry_appears_whole_or_not_at_all(
    error: BaseException, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before = tree(store.root)
    other = folder_of(tmp_path / "other", {name: content * 2 for name, content in FILES.items()})
    for key in (KEYS[0], sha256_text("new")):
        with monkeypatch.context() as patch:
            fail_second(patch, error)
            with pytest.raises(type(error)):
                store.put(key, other)
        assert tree(store.root) == before
        assert not list(store.root.glob(".*-*"))


def test_an_entry_is_not_there_while_it_is_written(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    new, copy = sha256_text("new"), shutil.copyfile
    seen = []

    def copyfile(source: Path, target: Path, **options: object) -> None:
        seen.append(entry(store, new).exists())
        copy(source, target)

    monkeypatch.setattr("phase2.study.store.shutil.copyfile", copyfile)
    store.put(new, tmp_path / "source")
    assert seen == [False] * 3
    assert store.holds(new, FILES)


def test_files_restored_before_the_disk_was_full_are_whole(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = folder_of(tmp_path / "out", {"metrics.json": b"earlier"})
    fail_second(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match="No space left"):
        store.restore(KEYS[0], {name: out / name for name in FILES})
    assert tree(out) == {str(out / "history.csv"): FILES["history.csv"], str(out / "metrics.json"): b"earlier"}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "flipped bit": lambda folder: flip(folder / "best.safetensors"),
    "cut file": lambda folder: os.truncate(folder / "history.csv", 3),
    "missing file": lambda folder: (folder / "metrics.json").unlink(),
    "cut manifest": lambda folder: os.truncate(folder / MANIFEST, 20),
    "manifest of another kind": lambda folder: (folder / MANIFEST).write_text("[]"),
    "manifest of no text": lambda folder: (folder / MANIFEST).write_bytes(b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_entry_is_set_aside_and_counts_as_absent(
    damage: Callable[[Path], object], store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    damage(entry(store))
    assert not store.holds(KEYS[0], FILES)
    assert f"{KEYS[0][:12]} is damaged (" in capsys.readouterr().out
    assert set(store) == {KEYS[1], KEYS[2]}
    (aside,) = (store.root / "corrupt").iterdir()
    assert aside.name.startswith(KEYS[0])
    store.put(KEYS[0], tmp_path / "source")
    assert store.holds(KEYS[0], FILES)


def test_an_entry_without_a_manifest_is_absent_and_can_be_put(store: Store, tmp_path: Path):
    (entry(store) / MANIFEST).unlink()
    assert set(store) == {KEYS[1], KEYS[2]}
    assert not store.holds(KEYS[0], [])
    store.put(KEYS[0], tmp_path / "source")
    assert store.holds(KEYS[0], FILES)


def test_a_store_travels(store: Store, tmp_path: Path):
    archive, other = tmp_path / "cells.tar", Store(tmp_path / "other")
    assert store.export(archive) == 3
    other.put(KEYS[1], folder_of(tmp_path / "mine", {"metrics.json": b"mine"}))
    assert other.import_(archive) == (2, 0)
    assert other.import_(archive) == (0, 0)
    assert set(other) == set(KEYS)
    assert all(other.holds(key, FILES) for key in (KEYS[0], KEYS[2]))
    assert (entry(other, KEYS[1]) / "metrics.json").read_bytes() == b"mine"
    assert not list(other.root.glob(".*-*"))


def test_an_empty_store_has_nothing_to_export(tmp_path: Path):
    with pytest.raises(UserError, match=r"cell store .*none is empty: train some cells"):
        Store(tmp_path / "none").export(tmp_path / "cells.tar")
    assert not list(tmp_path.iterdir())


def test_an_incomplete_entry_is_replaced_by_an_imported_one(store: Store, tmp_path: Path):
    store.export(tmp_path / "cells.tar")
    (entry(store) / MANIFEST).unlink()
    assert store.import_(tmp_path / "cells.tar") == (1, 0)
    assert store.holds(KEYS[0], FILES)


def test_a_damaged_member_is_refused_and_the_rest_taken(store: Store, tmp_path: Path):
    archive = tmp_path / "cells.tar"
    store.export(archive)
    content = bytearray(archive.read_bytes())
    content[content.index(FILES["best.safetensors"]) + 7] ^= 1
    archive.write_bytes(bytes(content))
    other = Store(tmp_path / "other")
    assert other.import_(archive) == (2, 1)
    assert len(set(other)) == 2


def test_a_cut_archive_never_brings_a_broken_entry(store: Store, tmp_path: Path):
    """Cut inside a member, an archive is refused by name; cut between two, its whole entries are taken."""
    archive = tmp_path / "cells.tar"
    store.export(archive)
    messages = []
    for size in range(archive.stat().st_size - 1, 1, -700):
        os.truncate(archive, size)
        other = Store(tmp_path / f"other{size}")
        try:
            taken, refused = other.import_(archive)
        except UserError as error:
            messages.append(str(error))
            taken, refused = 0, 0
        assert len(list(other)) == taken <= 3 - refused
        assert all(other.holds(key, FILES) for key in other)
    assert messages
    assert all("cells.tar is truncated or damaged" in message for message in messages)


def archive_of(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["../outside", "/outside", f"{KEYS[0]}/../../outside"])
def test_an_archive_that_points_outside_is_refused(name: str, tmp_path: Path):
    store = Store(tmp_path / "a" / "store")
    with pytest.raises(UserError, match="is refused"):
        store.import_(archive_of(tmp_path / "evil.tar", {name: b"gotcha"}))
    assert not list(tmp_path.rglob("outside"))


def test_what_is_no_entry_is_refused(store: Store, tmp_path: Path):
    good = {f"{KEYS[0]}/{path.name}": path.read_bytes() for path in entry(store).iterdir()}
    foreign = {"README": b"", "x/notes.txt": b"", f"corrupt/{MANIFEST}": b"{}", f"{KEYS[1]}/metrics.json": b""}
    other = Store(tmp_path / "other")
    assert other.import_(archive_of(tmp_path / "mixed.tar", good | foreign)) == (1, 4)
    assert set(other) == {KEYS[0]}


def test_a_missing_archive_is_named(store: Store, tmp_path: Path):
    with pytest.raises(UserError, match=r"no archive .*none\.tar: expected a \.tar that `phase2 store export` wrote"):
        store.import_(tmp_path / "none.tar")
