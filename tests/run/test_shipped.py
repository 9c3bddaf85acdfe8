"""Shipped cells: what a run shows of them is what was trained, and it says what is lacking and what has changed."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from studies import STUDY, content, run, study_of

from phase2.errors import UserError
from phase2.files import canonical_json
from phase2.run.config import Config, validate
from phase2.run.fill import fill
from phase2.run.shipped import CELLS, baseline_file, beside, of_what_is_there, restore, ship, shipped
from phase2.stats.columns import columns
from phase2.study.cell import Cell, cells_of
from phase2.study.pack import Folders
from phase2.study.results import cell_folder, write_metrics
from phase2.study.store import Store, key_of
from phase2.study.tables import gather

SEEDS = {"axes": {"activation": ["relu", "tanh"], "init": ["kaiming"], "seed": [0, 1, 2]}}
OTHER = {"axes": {"activation": ["gelu"], "init": ["kaiming"], "seed": [0]}, "hours": 1.5}


@pytest.fixture
def whole(tmp_path: Path, prepared_folder: Path) -> dict[str, Any]:
    """A configuration that ships the cells of two studies, with the tiny data set prepared."""
    shutil.copytree(prepared_folder, tmp_path / "data" / "prepared" / "digits")
    studies = {"grid": STUDY | SEEDS, "other": STUDY | OTHER}
    return content("data.folder", str(tmp_path / "data")) | {"studies": studies, "shipped": str(tmp_path / "shipped")}


@pytest.fixture
def trained(folders: Folders, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with two of three seeds of the first study, and a half of the third."""
    monkeypatch.setattr("phase2.run.fill.prepare", lambda dataset, data: data.folder / "prepared" / dataset)
    for activation, seeds in {"relu": (0, 1, 2), "tanh": (0, 1)}.items():
        for seed in seeds:
            run(folders, keep="best", **one(activation, seed))
    return Store(folders.store)


def one(activation: str, seed: int) -> dict[str, Any]:
    return {"axes": {"activation": [activation], "init": ["kaiming"], "seed": [seed]}}


def shipped_by(whole: dict[str, Any], store: Store) -> tuple[Config, list[str]]:
    said: list[str] = []
    ship(validate(whole), store, said.append)
    return validate(of_what_is_there(whole)), said


def test_what_is_shipped_is_restored_byte_for_byte_without_the_weights(
    whole: dict[str, Any], trained: Store, folders: Folders, tmp_path: Path
):
    config, said = shipped_by(whole, trained)
    assert said[0].startswith(f"{tmp_path / 'shipped' / CELLS}: 5 of 7 cells, 0.0")
    shutil.rmtree(trained.root)
    restore(config, tmp_path / "shipped", tmp_path / "restored")
    for cell in cells_of("grid", config.studies["grid"]):
        ours, theirs = (cell_folder(root, "grid", cell.partition) for root in (tmp_path / "restored", folders.results))
        assert {path.name: path.read_bytes() for path in ours.iterdir()} == {
            path.name: path.read_bytes() for path in theirs.iterdir()
        }
    assert not list((tmp_path / "shipped").rglob("*.safetensors"))


def test_a_run_has_the_seeds_that_are_whole_and_names_what_is_lacking_with_its_hours(
    whole: dict[str, Any], trained: Store
):
    config, _ = shipped_by(whole, trained)
    assert list(config.studies) == ["grid"]
    assert config.studies["grid"].axes.values()["seed"] == [0, 1]
    assert config.untrained == {"grid": "1 of 6 cells (about 0.0 hours)", "other": "1 of 1 cells (about 1.5 hours)"}
    assert config.gaps[1] == "Of other 1 of 1 cells (about 1.5 hours) are not trained yet."
    assert validate(whole).studies["grid"].axes.values()["seed"] == [0, 1, 2]


def test_a_run_that_ships_nothing_is_as_it_was(whole: dict[str, Any]):
    del whole["shipped"]
    assert of_what_is_there(whole) is whole


def test_a_cell_says_whether_its_code_has_changed_since_and_which_machine_made_it(
    whole: dict[str, Any], trained: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config, _ = shipped_by(whole, trained)
    results, grid = tmp_path / "restored", cells_of("grid", config.studies["grid"])
    restore(config, tmp_path / "shipped", results)
    table, _ = gather(grid, results, shipped=True)
    assert not table["changed"].any()
    assert table["machine"].str.contains(r"^1 of \d+ cores of ").all()
    monkeypatch.setattr("phase2.study.tables.training_code", lambda settings: "of today")
    monkeypatch.setattr("phase2.study.results.training_code", lambda settings: "of today")
    assert gather(grid, results, shipped=True)[0]["changed"].all()
    with pytest.raises(UserError, match="cells trained with other code"):
        gather(grid, results)
    assert {"changed", "machine"} == set(columns(study_of(), shipped=True)["cells"]) - set(columns(study_of())["cells"])


def test_what_was_shipped_before_stays_and_of_two_the_last_trained_is_shipped(
    whole: dict[str, Any], trained: Store, tmp_path: Path, folders: Folders
):
    shipped_by(whole, trained)
    before = shipped(tmp_path / "shipped")
    shutil.rmtree(trained.root)
    trained.root.mkdir()
    ship(validate(whole), trained, print)
    assert shipped(tmp_path / "shipped") == before

    (key, *_) = trained
    changed = json.loads((trained.folder(key) / "metrics.json").read_text())
    provenance = changed["provenance"] | {"code": "newer", "finished": "2999-01-01T00:00:00+00:00"}
    newer = {**changed, "provenance": provenance}
    newer.pop("checksum")
    folder = tmp_path / "newer"
    shutil.copytree(trained.folder(key), folder)
    (folder / "manifest.json").unlink()
    newer["key"] = key_of(Cell("", (), canonical_json(changed["spec"])), "newer", provenance["data"])
    write_metrics(folder / "metrics.json", newer)
    trained.put(newer["key"], folder)
    ship(validate(whole), trained, print)
    assert shipped(tmp_path / "shipped")[changed["id"]]["provenance"]["code"] == "newer"


def test_one_set_of_cells_makes_one_archive(whole: dict[str, Any], trained: Store, tmp_path: Path):
    shipped_by(whole, trained)
    first = (tmp_path / "shipped" / CELLS).read_bytes()
    shipped_by(whole, trained)
    assert (tmp_path / "shipped" / CELLS).read_bytes() == first


def test_a_baseline_is_fitted_once_and_shared_by_studies_of_one_task(whole: dict[str, Any], trained: Store):
    config, said = shipped_by(whole, trained)
    assert [line for line in said if "fitting" in line] == ["fitting the baseline of grid"]
    assert config.shipped is not None
    path = baseline_file(config.shipped, config.studies["grid"])
    assert set(pd.read_csv(path)["model"]) == {"majority", "logistic"}
    assert not [line for line in shipped_by(whole, trained)[1] if "fitting" in line]


def test_a_cell_that_is_trained_again_is_told_beside_the_shipped_one(whole: dict[str, Any], trained: Store):
    config, _ = shipped_by(whole, trained)
    lines = [beside(config, cell) for cell in cells_of("grid", config.studies["grid"])]
    assert all(re.fullmatch(r" \(shipped [01]\.\d{4}, commit \w+, same code\)", line) for line in lines), lines
    assert beside(validate(content()), cells_of("grid", validate(content()).studies["grid"])[0]) == ""


def test_no_archive_an_archive_without_a_whole_seed_and_a_damaged_one_are_told(
    whole: dict[str, Any], trained: Store, tmp_path: Path
):
    with pytest.raises(UserError, match=r"there is no .*cells\.tar\.xz: `phase2 ship`"):
        of_what_is_there(whole)
    shipped_by(whole, trained)
    tall = whole | {"studies": {"grid": STUDY | {"budget": {"epochs": 9, "batch_size": 8}}}}
    with pytest.raises(UserError, match="has no whole seed of any study"):
        of_what_is_there(tall)
    archive = tmp_path / "shipped" / CELLS
    archive.write_bytes(archive.read_bytes()[:400])
    with pytest.raises(UserError, match="truncated or damaged"):
        of_what_is_there(whole)


def test_cells_of_other_data_are_refused(whole: dict[str, Any], trained: Store, tmp_path: Path):
    config, _ = shipped_by(whole, trained)
    told = tmp_path / "shipped" / "data" / "digits.json"
    told.write_text(json.dumps(json.loads(told.read_text()) | {"hash": "0" * 64}))
    with pytest.raises(UserError, match="was trained on other data than"):
        restore(config, tmp_path / "shipped", tmp_path / "restored")


def test_a_run_that_ships_no_cells_cannot_ship(whole: dict[str, Any], trained: Store):
    del whole["shipped"]
    with pytest.raises(UserError, match="this run ships no cells: set shipped to a folder"):
        ship(validate(whole), trained, print)


def test_a_run_of_shipped_cells_measures_nothing(whole: dict[str, Any]):
    probe = {"probe": "activation_shapes", "question": "?", "activations": ["relu"], "points": 11, "figures": []}
    with pytest.raises(UserError, match="a run of shipped cells measures nothing"):
        validate(whole | {"probes": {"shapes": probe}})


def test_what_is_shipped_is_not_filled_again(
    whole: dict[str, Any], trained: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shipped_by(whole, trained)
    asked: list[Any] = []
    monkeypatch.setattr("phase2.run.fill.fill_pack", lambda cells, *rest, **more: (asked.extend(cells) or [], []))
    assert fill(validate(whole), ["grid", "other"], {}, tmp_path / "empty", tmp_path / "work", 1.0, print)
    lacking = [{"activation": "tanh", "seed": 2}, {"activation": "gelu", "seed": 0}]
    assert [cell.pack_axes for cell in asked] == lacking
