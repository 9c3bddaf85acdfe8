"""The cell store: entries are whole or absent, and travel."""

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import ROOT, cells, tree

from phase2.errors import UserError
from phase2.files import canonical_json, sha256_file, sha256_text
from phase2.study.cell import Cell
from phase2.study.results import write_metrics
from phase2.study.store import MANIFEST, Store, key_of

CODE, DATA = "c0de", "da7a"


def files_of(cell: Cell) -> dict[str, bytes]:
    """A finished cell's files."""
    metrics = {"id": cell.id, "spec": cell.spec, "provenance": {"code": CODE, "data": DATA}, "files": {}}
    metrics["checksum"] = sha256_text(canonical_json(metrics))
    return {
        "history.csv": b"epoch\n1\n",
        "metrics.json": json.dumps(metrics).encode(),
        "best.safetensors": bytes(range(256)),
    }


*KEYS, NEW = (key_of(cell, CODE, DATA) for cell in cells())
FILES = dict(zip((*KEYS, NEW), map(files_of, cells()), strict=True))
NAMES = FILES[NEW].keys()


def folder_of(path: Path, files: dict[str, bytes]) -> Path:
    path.mkdir(parents=True)
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with three entries."""
    store = Store(tmp_path / "store")
    for key in KEYS:
        store.put(key, folder_of(tmp_path / key, FILES[key]))
    return store


def entry(store: Store, key: str = KEYS[0]) -> Path:
    return store.root / key[:2] / key


@settings(deadline=None)
@given(files=st.dictionaries(st.from_regex(r"[a-z]{1,8}\.csv", fullmatch=True), st.binary(max_size=99), min_size=1))
def test_what_is_put_comes_back(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("roundtrip")
    store = Store(root / "store")
    files |= FILES[KEYS[0]]
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
    assert not store.holds(KEYS[0], [*NAMES, "epoch=01.safetensors"])
    assert store.holds(KEYS[0], NAMES)
    with pytest.raises(UserError, match=f"no whole entry {KEYS[0][:12]}: run again, and it is trained"):
        store.restore(KEYS[0], {"epoch=01.safetensors": tmp_path / "out"})


def test_a_fuller_entry_replaces_the_one_that_is_there(store: Store, tmp_path: Path):
    fuller = FILES[KEYS[0]] | {"epoch=01.safetensors": b"weights"}
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
    other = folder_of(tmp_path / "other", {name: content * 2 for name, content in FILES[NEW].items()})
    for key in (KEYS[0], NEW):
        with monkeypatch.context() as patch:
            fail_second(patch, error)
            with pytest.raises(type(error)):
                store.put(key, other)
        assert tree(store.root) == before
        assert not list(store.root.glob(".*-*"))


def test_an_entry_is_not_there_while_it_is_written(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    copy = shutil.copyfile
    seen = []

    def copyfile(source: Path, target: Path, **options: object) -> None:
        seen.append(entry(store, NEW).exists())
        copy(source, target)

    monkeypatch.setattr("phase2.study.store.shutil.copyfile", copyfile)
    store.put(NEW, folder_of(tmp_path / "new", FILES[NEW]))
    assert seen == [False] * 3
    assert store.holds(NEW, NAMES)


def test_files_restored_before_the_disk_was_full_are_whole(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = folder_of(tmp_path / "out", {"metrics.json": b"earlier"})
    fail_second(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match="No space left"):
        store.restore(KEYS[0], {name: out / name for name in NAMES})
    assert tree(out) == {str(out / "history.csv"): FILES[KEYS[0]]["history.csv"], str(out / "metrics.json"): b"earlier"}


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
    assert not store.holds(KEYS[0], NAMES)
    assert f"{KEYS[0][:12]} is damaged (" in capsys.readouterr().out
    assert set(store) == {KEYS[1], KEYS[2]}
    (aside,) = (store.root / "corrupt").iterdir()
    assert aside.name.startswith(KEYS[0])
    store.put(KEYS[0], tmp_path / KEYS[0])
    assert store.holds(KEYS[0], NAMES)


def test_an_entry_without_a_manifest_is_absent_and_can_be_put(store: Store, tmp_path: Path):
    (entry(store) / MANIFEST).unlink()
    assert set(store) == {KEYS[1], KEYS[2]}
    assert not store.holds(KEYS[0], [])
    store.put(KEYS[0], tmp_path / KEYS[0])
    assert store.holds(KEYS[0], NAMES)


def test_a_store_travels(store: Store, tmp_path: Path):
    archive, other = tmp_path / "cells.tar", Store(tmp_path / "other")
    assert store.export(archive) == (3, [])
    mine = FILES[KEYS[1]] | {"history.csv": b"mine", "epoch=01.safetensors": b"weights"}
    other.put(KEYS[1], folder_of(tmp_path / "mine", mine))
    assert other.import_(archive) == (2, 0)
    assert other.import_(archive) == (0, 0)
    assert set(other) == set(KEYS)
    assert all(other.holds(key, NAMES) for key in KEYS)
    assert (entry(other, KEYS[1]) / "history.csv").read_bytes() == b"mine"
    assert not list(other.root.glob(".*-*"))


def test_an_empty_store_has_nothing_to_export(tmp_path: Path):
    with pytest.raises(UserError, match=r"cell store .*none is empty: train some cells"):
        Store(tmp_path / "none").export(tmp_path / "cells.tar")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_entry_is_left_out_of_an_export_and_said(
    damage: Callable[[Path], object], store: Store, tmp_path: Path
):
    damage(entry(store))
    assert store.export(tmp_path / "cells.tar") == (2, [KEYS[0]])
    assert Store(tmp_path / "other").import_(tmp_path / "cells.tar") == (2, 0)


def test_a_store_of_damaged_entries_has_nothing_to_export(store: Store, tmp_path: Path):
    for key in KEYS:
        flip(entry(store, key) / "metrics.json")
    with pytest.raises(UserError, match="holds damaged entries alone: train some cells"):
        store.export(tmp_path / "cells.tar")
    assert not (tmp_path / "cells.tar").exists()


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_entry_is_replaced_by_an_imported_one(damage: Callable[[Path], object], store: Store, tmp_path: Path):
    store.export(tmp_path / "cells.tar")
    damage(entry(store))
    assert store.import_(tmp_path / "cells.tar") == (1, 0)
    assert store.holds(KEYS[0], NAMES)


def test_an_entry_with_fewer_files_is_replaced_by_an_imported_one(store: Store, tmp_path: Path):
    store.export(tmp_path / "cells.tar")
    other = Store(tmp_path / "other")
    fewer = {name: FILES[KEYS[0]][name] for name in ("history.csv", "metrics.json")}
    other.put(KEYS[0], folder_of(tmp_path / "fewer", fewer))
    assert other.import_(tmp_path / "cells.tar") == (3, 0)
    assert other.holds(KEYS[0], NAMES)


def test_an_entry_with_fewer_files_never_replaces_one_with_more(store: Store, tmp_path: Path):
    before = tree(entry(store))
    store.put(KEYS[0], folder_of(tmp_path / "fewer", {"metrics.json": FILES[KEYS[0]]["metrics.json"]}))
    assert tree(entry(store)) == before


def swapped(store: Store) -> None:
    """The entry of one cell gets another's files, and their manifest."""
    shutil.rmtree(entry(store))
    shutil.copytree(entry(store, KEYS[1]), entry(store))


def other_id(store: Store) -> None:
    """The metrics of one cell say that they are another's, and the manifest agrees."""
    path = entry(store) / "metrics.json"
    write_metrics(path, json.loads(path.read_bytes()) | {"id": cells()[1].id})
    manifest = json.loads((entry(store) / MANIFEST).read_bytes())
    (entry(store) / MANIFEST).write_text(json.dumps(manifest | {"metrics.json": sha256_file(path)}))


def other_history(store: Store) -> None:
    """The history of one cell is another's than its metrics name, and the manifest agrees."""
    path = entry(store) / "metrics.json"
    write_metrics(path, json.loads(path.read_bytes()) | {"files": {"history.csv": "0" * 64}})
    manifest = json.loads((entry(store) / MANIFEST).read_bytes())
    (entry(store) / MANIFEST).write_text(json.dumps(manifest | {"metrics.json": sha256_file(path)}))


@pytest.mark.parametrize("spoil", [swapped, other_id, other_history])
def test_another_cells_files_are_refused_on_import_and_set_aside_where_they_are(
    spoil: Callable[[Store], None], store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    spoil(store)
    with tarfile.open(tmp_path / "cells.tar", "w") as tar:
        tar.add(entry(store), arcname=KEYS[0])
        tar.add(entry(store, KEYS[2]), arcname=KEYS[2])
    other = Store(tmp_path / "other")
    assert other.import_(tmp_path / "cells.tar") == (1, 1)
    assert set(other) == {KEYS[2]}
    assert not store.holds(KEYS[0], NAMES)
    why = "history.csv is not the one that" if spoil is other_history else "its files are those of another cell, "
    assert f"{KEYS[0][:12]} is damaged ({why}" in capsys.readouterr().out
    assert set(store) == {KEYS[1], KEYS[2]}


def test_an_entry_that_another_job_replaces_meanwhile_is_restored_of_one_piece(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Two studies share a cell, and the second keeps more weights of it, of a training whose last bits differ."""
    fuller = {name: content + b" " for name, content in FILES[KEYS[0]].items()} | {"epoch=01.safetensors": b""}
    source, copy = folder_of(tmp_path / "fuller", fuller), shutil.copyfile
    other = threading.Thread(target=lambda: Store(store.root).put(KEYS[0], source))

    def copyfile(origin: Path, target: Path) -> None:
        copy(origin, target)
        if not other.ident and threading.current_thread() is not other:
            other.start()
            other.join(timeout=0.5)  # enough to put, if it may

    monkeypatch.setattr("phase2.study.store.shutil.copyfile", copyfile)
    store.restore(KEYS[0], {name: tmp_path / "out" / name for name in NAMES})
    other.join()
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == FILES[KEYS[0]]
    assert store.holds(KEYS[0], fuller)


def test_an_entry_that_is_replaced_while_it_is_checked_is_not_set_aside(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fuller = {name: content + b" " for name, content in FILES[KEYS[0]].items()} | {"epoch=01.safetensors": b""}
    source, hashed = folder_of(tmp_path / "fuller", fuller), sha256_file
    monkeypatch.setattr("phase2.study.store.sha256_file", lambda path: replace(path))

    def replace(path: Path) -> str:
        monkeypatch.setattr("phase2.study.store.sha256_file", hashed)
        store.put(KEYS[0], source)  # another job does, between the manifest's reading and the files'
        return hashed(path)

    assert store.holds(KEYS[0], NAMES)
    assert not (store.root / "corrupt").exists()


def test_a_file_is_written_as_the_umask_of_the_process_says(store: Store, tmp_path: Path):
    """Two users of one group share a store: with umask 002 each may write what the other wrote."""
    code = """
import os, sys
from pathlib import Path
from phase2.study.store import Store
os.umask(0o002)
root, key, source, archive, out = sys.argv[1:]
for store in (Store(Path(root, "put")), Store(Path(root, "imported"))):
    store.put(key, Path(source)) if store.root.name == "put" else store.import_(Path(archive))
    store.restore(key, {"metrics.json": Path(out) / store.root.name / "metrics.json"})
"""
    store.export(tmp_path / "cells.tar")
    (tmp_path / "cells.tar").chmod(0o600)
    root, source = tmp_path / "shared", tmp_path / KEYS[0]
    paths = [root, KEYS[0], source, tmp_path / "cells.tar", root / "out"]
    command = [sys.executable, "-c", code, *map(str, paths)]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    modes = {str(p.relative_to(root)): stat.S_IMODE(p.stat().st_mode) for p in root.rglob("*")}
    assert {name: mode for name, mode in modes.items() if (root / name).is_dir() and mode != 0o775} == {}
    assert {name: mode for name, mode in modes.items() if (root / name).is_file() and mode != 0o664} == {}


def test_a_damaged_member_is_refused_and_the_rest_taken(store: Store, tmp_path: Path):
    archive = tmp_path / "cells.tar"
    store.export(archive)
    content = bytearray(archive.read_bytes())
    content[content.index(FILES[NEW]["best.safetensors"]) + 7] ^= 1
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
        assert all(other.holds(key, NAMES) for key in other)
    assert messages
    assert all("cells.tar is truncated or damaged" in message for message in messages)


NO_ARCHIVES = {
    "an empty tar": (bytes(10240), "is empty: "),
    "no bytes": (b"", r"is truncated or damaged, or no archive at all \(file could .*\): "),
    "another file": (
        b"no tar, and long enough" * 99,
        r"is truncated or damaged, or no archive at all \(file could .*\): ",
    ),
}


@pytest.mark.parametrize("kind", NO_ARCHIVES)
def test_what_is_no_archive_of_cells_is_refused_with_advice_that_helps(kind: str, store: Store, tmp_path: Path):
    content, message = NO_ARCHIVES[kind]
    (tmp_path / "cells.tar").write_bytes(content)
    with pytest.raises(UserError, match=rf"cells\.tar {message}export the cells again with `phase2 store export`$"):
        store.import_(tmp_path / "cells.tar")
    assert set(store) == set(KEYS)


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
