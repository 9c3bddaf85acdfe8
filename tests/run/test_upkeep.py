"""Upkeep of the store: what it lists is what is there, and what it removes nobody wants."""

import json
import os
import shutil
import time
from pathlib import Path
from unittest import mock

import pytest
from studies import COMPUTE, cells, content, run, study_of

from phase2.errors import UserError
from phase2.run.config import Config, validate
from phase2.run.upkeep import STALE, Wanted, dead_packs, debris, entries, find, forget, remove, table
from phase2.study.pack import Folders, only_here, run_pack
from phase2.study.results import METRICS
from phase2.study.store import Store

ADAM = {"optimizer": {"name": "adam", "lr": 0.01}, "axes": {"seed": [0]}}


@pytest.fixture
def store(folders: Folders) -> Store:
    """A store with the four cells of STUDY and one of Adam."""
    run(folders)
    run(folders, **ADAM)
    return Store(folders.store)


@pytest.fixture
def config(tmp_path: Path, prepared_folder: Path) -> Config:
    """STUDY's configuration, with the tiny data set prepared."""
    shutil.copytree(prepared_folder, tmp_path / "data" / "prepared" / "digits")
    return validate(content("data.folder", str(tmp_path / "data")))


def test_a_table_has_a_line_an_entry_that_says_what_it_is_and_what_made_it(store: Store):
    head, *lines, total = table(entries(store)).splitlines()
    assert len(lines) == 5
    assert total.startswith("5 entries of 5 cells, 0.0")
    assert total.endswith(" MB: 5 ok")
    (line,) = (line for line in lines if "adam" in line)
    (cell,) = cells(**ADAM)
    told = dict(zip(head.split(), line.split(), strict=True))
    known = {"id": cell.id, "dataset": "digits", "model": "mlp", "activation": "relu", "init": "kaiming", "seed": "0"}
    known |= {"schedule": "constant", "optimizer": "adam", "lr": "0.01", "epochs": "2", "status": "ok", "device": "cpu"}
    assert told.items() >= known.items()
    assert told.keys() >= {"metric", "test", "code", "torch", "MB", "finished"}


def test_an_entry_whose_metrics_cannot_be_read_is_listed_by_its_key(store: Store):
    key = next(iter(store))
    (store.folder(key) / METRICS).write_text("{}")
    *lines, total = table(entries(store)).splitlines()
    (line,) = (line for line in lines if "unreadable" in line)
    assert line.startswith(key[:12])
    assert total.endswith(" MB: 4 ok, 1 unreadable")


def test_an_entry_of_a_part_that_is_not_named_here_is_no_damage(store: Store):
    path = store.folder(next(iter(store))) / METRICS
    metrics = json.loads(path.read_text())
    metrics["spec"]["task"]["name"] = "guesses"  # a task of the user's own
    path.write_text(json.dumps(metrics))
    *lines, total = table(entries(store)).splitlines()
    (line,) = (line for line in lines if "of a part of one's own" in line)
    assert line.startswith(metrics["id"])
    assert total.endswith(" MB: 1 of a part of one's own, 4 ok")


def test_a_store_that_is_not_there_lists_no_entries(tmp_path: Path):
    assert table(entries(Store(tmp_path / "none"))) == "0 entries of 0 cells, 0.00 MB"


def test_cells_are_found_by_their_ids_and_by_the_beginning_that_one_alone_has(store: Store):
    listed = entries(store)
    ids = [entry.id for entry in listed]
    assert [entry.id for entry in find(listed, [ids[2], ids[0][:11]])] == [ids[2], ids[0]]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [("zz", "'zz' is no cell of the store: `phase2 store list`"), ("", "of 5 cells .*more digits")],
)
def test_what_names_no_cell_or_several_is_refused(wanted: str, message: str, store: Store):
    with pytest.raises(UserError, match=message):
        find(entries(store), [wanted])


def test_what_the_configuration_wants_is_kept_and_the_rest_is_not(store: Store, config: Config):
    wanted = Wanted([config])
    assert {entry.id for entry in entries(store) if wanted.has(entry)} == {cell.id for cell in cells()}


def test_of_several_configurations_each_keeps_what_it_wants(store: Store, config: Config):
    adam = config.model_copy(update={"studies": {"other": study_of(**ADAM)}})
    wanted = Wanted([config, adam])
    assert all(wanted.has(entry) for entry in entries(store))


def test_entries_of_other_code_or_other_data_are_not_wanted(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setattr("phase2.run.upkeep.training_code", lambda spec: "edited")
        wanted = Wanted([config])
    assert not any(wanted.has(entry) for entry in entries(store))
    monkeypatch.setattr("phase2.run.upkeep.open_prepared", lambda folder: mock.Mock(hash="other"))
    wanted = Wanted([config])
    assert not any(wanted.has(entry) for entry in entries(store))


def test_where_data_is_not_prepared_entries_of_any_are_kept(store: Store, config: Config):
    shutil.rmtree(config.data.folder)
    wanted = Wanted([config])
    assert {entry.id for entry in entries(store) if wanted.has(entry)} == {cell.id for cell in cells()}


def test_entries_that_cannot_be_read_are_not_wanted(store: Store, config: Config):
    for key in store:
        (store.folder(key) / METRICS).write_text("{}")
    wanted = Wanted([config])
    assert not any(wanted.has(entry) for entry in entries(store))


def test_damaged_entries_and_old_halves_are_debris_and_what_is_being_written_is_not(store: Store):
    key, other = list(store)[:2]
    (store.folder(key) / METRICS).write_text("{}")
    assert not store.holds(key, [])
    for name in (".new-dead", ".new-alive", ".import-dead"):
        (store.root / name).mkdir()
    old = time.time() - STALE - 60
    for name in (".new-dead", ".import-dead"):
        os.utime(store.root / name, (old, old))
    (aside,) = (store.root / "corrupt").iterdir()
    assert debris(store) == [aside, store.root / ".new-dead", store.root / ".import-dead"]
    remove(store, [], debris(store), [])
    assert debris(store) == []
    assert (store.root / ".new-alive").exists()
    assert store.holds(other, [METRICS])


def stopped(folders: Folders, **changes: object) -> Path:
    """The work folder of a pack that was stopped."""
    before = set(folders.work.glob("*"))
    with pytest.raises(KeyboardInterrupt):
        run(folders, progress=mock.Mock(side_effect=KeyboardInterrupt), **changes)
    (folder,) = set(folders.work.glob("*")) - before
    return folder


def test_a_stopped_pack_is_dead_if_no_configuration_would_go_on_with_it(folders: Folders, config: Config):
    alive, dead = stopped(folders), stopped(folders, **ADAM)
    (folders.work / "0123.lock").touch()  # as a process that was killed leaves it
    found = dead_packs(folders.work, Wanted([config]))
    assert found == sorted([dead, folders.work / "0123"])
    with only_here(dead):  # it is being trained at this moment
        remove(Store(folders.store), [], [], found)
    assert sorted(folders.work.iterdir()) == sorted([alive, dead])
    remove(Store(folders.store), [], [], found)
    assert list(folders.work.iterdir()) == [alive]
    assert run(folders).trained == 4


def test_removing_takes_these_entries_and_no_others(store: Store):
    first, *rest = entries(store)
    remove(store, [first], [], [])
    assert entries(store) == rest


def test_a_cell_that_is_forgotten_is_trained_again_and_replaced(store: Store, folders: Folders):
    chosen = cells()[:2]
    before = list(store)
    forget(store, chosen, folders.prepared)
    assert {entry.id for entry in entries(store)}.isdisjoint(cell.id for cell in chosen)
    assert run_pack(chosen, study_of(), folders, COMPUTE).trained == 2
    assert list(store) == before
