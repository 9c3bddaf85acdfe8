"""A pack's job: trains what is missing, restores what is there, writes every file it declares."""

import csv
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from unittest import mock

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from studies import COMPUTE, STUDY, WIDE, cells, folders_in, run, study_of, tree
from tiny import write_tiny
from torch import nn

from phase2.data.prepared import open_prepared
from phase2.errors import UserError
from phase2.study.cell import cells_of
from phase2.study.pack import Folders, PackReport, fill_pack, only_here, run_pack
from phase2.study.results import destinations, history_columns, read_metrics
from phase2.study.store import Store
from phase2.task.images import open_images
from phase2.train import loop
from phase2.train.recipe import lane_of, recipe_of

HERE = Path(__file__).parent
DIVERGING = {"axes": {"lr": [0.05, 1e30], "seed": [0]}}
WEIGHTS = {
    "none": [],
    "best": ["best.safetensors"],
    "half": ["best.safetensors", "epoch=01.safetensors"],
    "all": ["best.safetensors", "epoch=01.safetensors", "epoch=02.safetensors"],
}

COLUMNS = history_columns(["accuracy"])


def folder_of(root: Path, **values: object) -> Path:
    """A cell's folder below those of all cells or the checkpoints, by its axis values."""
    return root / "grid" / "/".join(f"{name}={value}" for name, value in values.items())


@pytest.mark.parametrize("keep", WEIGHTS)
def test_a_pack_writes_the_files_that_its_cells_declare_and_no_others(keep: str, folders: Folders):
    report = run(folders, keep=keep)
    assert (report.trained, report.restored, report.diverged) == (4, 0, 0)
    declared = [
        path
        for cell in cells(keep=keep)
        for path in destinations(cell, study_of(keep=keep), folders.results, folders.checkpoints).values()
    ]
    assert sorted(map(str, declared)) == sorted(tree(folders.results, folders.checkpoints))
    folder = folder_of(folders.checkpoints, seed=0, init="xavier", schedule="cosine")
    assert sorted(path.name for path in folder.glob("*")) == WEIGHTS[keep]
    assert len(declared) == 4 * (2 + len(WEIGHTS[keep]))


def test_metrics_hold_spec_id_status_metrics_and_provenance(folders: Folders):
    run(folders)
    cell = cells()[0]
    metrics = read_metrics(cell, folders.results)
    assert (metrics["id"], metrics["spec"], metrics["status"], metrics["diverged_step"]) == (
        cell.id,
        cell.spec,
        "ok",
        None,
    )
    names = {f"{part}_{what}" for part in ("train", "val", "test") for what in ("loss", "accuracy")}
    assert metrics["final"].keys() == names
    assert metrics["best"].keys() == {"epoch", "val_accuracy", "test_loss", "test_accuracy"}
    provenance = metrics["provenance"]
    assert provenance["data"] == open_prepared(folders.prepared).hash
    assert {"code", "commit", "dirty", "device", "threads", "lanes", "finished", "packages"} <= provenance.keys()


def test_history_has_its_columns_and_a_row_an_epoch_and_split(folders: Folders):
    run(folders)
    folder = folder_of(folders.results / "cells", seed=0, init="kaiming", schedule="constant")
    with open(folder / "history.csv") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == COLUMNS
    assert [(row["epoch"], row["step"], row["split"]) for row in rows] == [
        ("1", "5", "train"),
        ("1", "5", "val"),
        ("2", "10", "train"),
        ("2", "10", "val"),
    ]
    assert {row["lr"] for row in rows} == {repr(torch.tensor(0.05).item())}


def test_a_second_run_restores_the_same_bytes_and_trains_nothing(folders: Folders, monkeypatch: pytest.MonkeyPatch):
    run(folders, keep="all")
    before = tree(folders.results, folders.checkpoints)
    shutil.rmtree(folders.results)
    shutil.rmtree(folders.checkpoints)
    monkeypatch.setattr(loop.Training, "step", mock.Mock(side_effect=AssertionError("it trains")))
    assert run(folders, keep="all") == PackReport(0, 4, 0, 0.0)
    assert tree(folders.results, folders.checkpoints) == before


def test_one_more_lane_trains_that_lane_alone(folders: Folders):
    run(folders)
    before = tree(folders.results)
    report = run(folders, axes=STUDY["axes"] | {"init": ["kaiming", "xavier", "lsuv"], "schedule": ["constant"]})
    assert (report.trained, report.restored) == (1, 2)
    after = tree(folders.results)
    assert {path: after[path] for path in before} == before
    assert len(after) == len(before) + 2


def test_a_renamed_study_and_one_with_the_same_trainings_train_nothing(folders: Folders):
    run(folders)
    before = list(tree(folders.results, folders.checkpoints).values())
    renamed = cells_of("other", study_of())
    assert run_pack(renamed, study_of(), folders, COMPUTE) == PackReport(0, 4, 0, 0.0)
    shutil.rmtree(folders.results / "cells/grid")
    shutil.rmtree(folders.checkpoints / "grid")
    assert list(tree(folders.results, folders.checkpoints).values()) == before
    assert [read_metrics(cell, folders.results)["spec"] for cell in renamed] == [cell.spec for cell in cells()]


def test_other_data_trains_again(folders: Folders, tmp_path: Path):
    run(folders)
    other = write_tiny(tmp_path / "other", seed=1)
    assert run(folders_in(tmp_path, other)).trained == 4


def test_keeping_more_weights_trains_again_and_keeping_fewer_does_not(folders: Folders):
    run(folders)
    assert run(folders, keep="none").trained == 0
    assert run(folders, keep="all").trained == 4


def test_a_damaged_entry_is_trained_again_to_the_same_numbers(folders: Folders):
    run(folders)
    before = [read_metrics(cell, folders.results)["final"] for cell in cells()]
    (first, *_) = sorted(folders.store.glob("*/*/metrics.json"))
    first.write_text("{}")
    assert run(folders).trained == 1
    after = [read_metrics(cell, folders.results)["final"] for cell in cells()]
    for ours, theirs in zip(after, before, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5)  # one lane alone: another summation order, see test_lanes


def test_weights_load_with_safetensors_alone_into_torchs_layers(folders: Folders):
    run(folders)
    study = study_of()
    parts = open_images(open_prepared(folders.prepared), 40, None, torch.device("cpu"))
    images, labels = parts.test.batch(torch.arange(len(parts.test)), torch.float32)
    for cell in cells():
        path = destinations(cell, study, folders.results, folders.checkpoints)["best.safetensors"]
        with safe_open(path, "pt") as file:
            assert file.metadata() == {"key": read_metrics(cell, folders.results)["key"]}
        network = nn.ModuleDict({"layers": nn.Sequential(nn.Linear(64, 6), nn.ReLU(), nn.Linear(6, 3))})
        network.load_state_dict(load_file(path))
        accuracy = (network["layers"](images.flatten(1)).argmax(1) == labels).double().mean().item()
        assert accuracy == read_metrics(cell, folders.results)["best"]["test_accuracy"]


def test_a_diverged_cell_is_a_result_with_all_its_files(folders: Folders):
    report = run(folders, keep="all", **DIVERGING)
    assert (report.trained, report.diverged) == (2, 1)
    good, bad = cells(keep="all", **DIVERGING)
    assert read_metrics(good, folders.results)["status"] == "ok"
    metrics = read_metrics(bad, folders.results)
    assert (metrics["status"], metrics["diverged_step"], metrics["final"], metrics["best"]) == (
        "diverged",
        1,
        None,
        None,
    )
    files = destinations(bad, study_of(keep="all", **DIVERGING), folders.results, folders.checkpoints)
    assert files["history.csv"].read_text() == ",".join(COLUMNS) + "\n"
    assert [load_file(files[name]) for name in WEIGHTS["all"]] == [{}, {}, {}]
    assert run(folders, keep="all", **DIVERGING) == PackReport(0, 2, 1, 0.0)


def test_an_interrupted_pack_ends_with_the_same_files_and_leaves_no_work(folders: Folders, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        run(folders, progress=mock.Mock(side_effect=KeyboardInterrupt), keep="all")
    assert list(folders.work.glob("*/*"))
    run(folders, keep="all")
    assert not list(folders.work.glob("*/*"))
    whole = folders_in(tmp_path / "whole", folders.prepared)
    run(whole, keep="all")
    for cell in cells(keep="all"):
        ours, theirs = (read_metrics(cell, f.results) for f in (folders, whole))
        assert (ours["final"], ours["best"]) == (theirs["final"], theirs["best"])
    assert list(tree(folders.checkpoints).values()) == list(tree(whole.checkpoints).values())


def test_a_pack_stopped_between_its_cells_ends_with_the_same_bits(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Two of its cells are in the store then; all nine go on, since last bits may depend on the number of lanes."""
    many = WIDE | {"axes": {"init": ["xavier", "kaiming", "lsuv"], "lr": [0.1, 0.2, 0.3], "seed": [0]}}
    puts = []
    put = Store.put

    def stop_at_third(self: Store, key: str, source: Path) -> None:
        puts.append(key)
        if len(puts) == 3:
            raise KeyboardInterrupt
        put(self, key, source)

    monkeypatch.setattr(Store, "put", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        run(folders, **many)
    assert run(folders, **many).trained == 9
    whole = folders_in(tmp_path / "whole", folders.prepared)
    run(whole, **many)
    assert list(tree(folders.checkpoints).values()) == list(tree(whole.checkpoints).values())
    assert not list(folders.work.glob("*/*"))


def test_a_stopped_pack_goes_on_under_another_configuration(folders: Folders):
    """What was begun with other weights to keep, or other lanes, is no hindrance."""

    def stop(fraction: float) -> None:
        if fraction == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(folders, progress=stop)
    assert run(folders, keep="all").trained == 4
    axes = STUDY["axes"] | {"init": ["lsuv", "kaiming"]}
    with pytest.raises(KeyboardInterrupt):
        run(folders, progress=stop, axes=axes)
    shutil.rmtree(folders.store)
    assert run(folders, axes=axes).trained == 4


@pytest.mark.parametrize("content", [b'["', b"7", b"[[]]", b"\xff\xfe", b""])
def test_damaged_notes_on_a_pack_under_way_start_it_anew_and_say_so(
    content: bytes, folders: Folders, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(KeyboardInterrupt):
        run(folders, progress=mock.Mock(side_effect=KeyboardInterrupt))
    (notes,) = folders.work.glob("*/lanes.json")
    notes.write_bytes(content)
    assert run(folders).trained == 4
    assert f"{notes} is damaged (" in capsys.readouterr().out


def test_a_pack_leaves_no_lock_behind_whether_it_ends_or_is_stopped(folders: Folders):
    with pytest.raises(KeyboardInterrupt):
        run(folders, progress=mock.Mock(side_effect=KeyboardInterrupt))
    assert not list(folders.work.glob("*.lock"))
    run(folders)
    assert not list(folders.work.iterdir())


def test_a_lock_that_is_removed_while_another_waits_for_it_is_held_by_one(tmp_path: Path):
    """The second opened the file before the first removed it: what it then holds is no lock, and it asks anew."""
    opened, go = threading.Event(), threading.Event()
    open_file = os.open

    def second() -> None:
        def slowly(path: object, *arguments: object) -> int:
            descriptor = open_file(path, *arguments)
            if threading.current_thread() is waiting and not go.is_set():
                opened.set()
                go.wait()
            return descriptor

        with mock.patch("os.open", slowly), suppress(UserError), only_here(tmp_path / "pack"):
            held.append((tmp_path / "pack.lock").exists())

    held: list[bool] = []
    waiting = threading.Thread(target=second)
    with only_here(tmp_path / "pack"):
        waiting.start()
        opened.wait()
    go.set()
    waiting.join()
    assert held in ([], [True])
    with only_here(tmp_path / "pack"):
        assert (tmp_path / "pack.lock").exists()


def test_filling_trains_into_the_store_and_writes_no_results(folders: Folders):
    keys, trained = fill_pack(cells(), study_of(), folders, COMPUTE)
    assert len(set(keys)) == len(trained) == 4
    assert not folders.results.exists()
    assert run(folders) == PackReport(0, 4, 0, 0.0)


def test_every_field_of_a_spec_reaches_the_training(folders: Folders):
    content = {
        "model": {"name": "mlp", "width": 7, "depth": 2, "activation": "gelu", "norm": "layer", "dropout": 0.3},
        "optimizer": {"name": "adam", "lr": 0.003, "weight_decay": 0.02, "options": {"amsgrad": True}},
        "budget": {"epochs": 3, "batch_size": 16},
        "clip": 0.7,
        "clip_value": 0.01,
        "axes": {"init": ["lsuv"], "schedule": ["step"], "seed": [5]},
    }
    (cell,) = cells(**content)
    recipe, lane = recipe_of(cell.settings), lane_of(cell.settings)
    options = {"width": 7, "depth": 2, "activation": "gelu", "norm": "layer", "dropout": 0.3}
    assert (recipe.model, recipe.model_options) == ("mlp", options)
    assert (recipe.optimizer, recipe.optimizer_options) == ("adam", {"amsgrad": True})
    assert (recipe.batch_size, recipe.epochs, recipe.seed) == (16, 3, 5)
    assert (lane.init, lane.schedule, lane.lr, lane.weight_decay) == ("lsuv", "step", 0.003, 0.02)
    assert (lane.clip, lane.clip_value) == (0.7, 0.01)


def test_a_gpu_that_is_not_there_is_named(folders: Folders, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"compute\.device is cuda, and torch sees no GPU: set it to auto or cpu"):
        run_pack(cells(), study_of(), folders, COMPUTE.model_copy(update={"device": "cuda"}))


def worker(*arguments: object) -> subprocess.Popen:
    paths = {"PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parent, HERE.parents[1]))), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, HERE / "pack_worker.py", *map(str, arguments)]
    return subprocess.Popen(command, env=os.environ | paths, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_of_two_processes_on_one_pack_the_second_is_told(folders: Folders, tmp_path: Path):
    with worker("wait", folders.prepared, tmp_path) as first:
        while not (tmp_path / "training").exists() and first.poll() is None:
            time.sleep(0.02)
        with pytest.raises(UserError, match=r"another run is training this pack \(\w+\): wait for it, or stop it"):
            run(folders)
        (tmp_path / "go").touch()
        output, errors = first.communicate(timeout=60)
    assert "trained=4" in output, errors
    assert run(folders) == PackReport(0, 4, 0, 0.0)


def test_a_full_disk_fails_as_such_and_leaves_earlier_results_whole(folders: Folders, tmp_path: Path):
    run(folders)
    before = tree(folders.results, folders.checkpoints, folders.store)
    with worker("full", folders.prepared, tmp_path) as process:
        output, errors = process.communicate(timeout=60)
    assert output == "[Errno 27] File too large\n" * 3, errors
    assert tree(folders.results, folders.checkpoints, folders.store) == before
    assert run(folders, **WIDE).trained == 4
