"""Filling the store in slices of time: the most valuable first, and stopped in a training."""

import time
from pathlib import Path
from typing import Any

import pytest
from studies import STUDY, cells, content, folders_in, study_of

from phase2.run import fill as filling
from phase2.run.config import Config, validate
from phase2.run.fill import fill
from phase2.study.cell import Cell
from phase2.study.pack import Folders, fill_pack
from phase2.study.results import METRICS, whole_metrics
from phase2.study.store import Store
from phase2.train.state import OutOfTime

MANY = {"axes": {"activation": ["relu", "tanh"], "init": ["kaiming"], "seed": [3, 1]}}


def test_a_pack_filled_in_slices_ends_with_the_metrics_of_one_filled_at_once(folders: Folders, tmp_path: Path):
    whole, stopped = folders_in(tmp_path / "whole", folders.prepared), 0
    keys, _ = fill_pack(cells(), study_of(), whole, filling_compute())
    while True:
        try:
            fill_pack(cells(), study_of(), folders, filling_compute(), deadline=time.monotonic())
            break
        except OutOfTime:
            stopped += 1
    assert stopped == 10  # two epochs of five steps
    for key in keys:
        ours, theirs = (whole_metrics(Store(f.store).folder(key) / METRICS) for f in (folders, whole))
        assert (ours["final"], ours["best"]) == (theirs["final"], theirs["best"])
    assert not list(folders.work.glob("*/*"))


def filling_compute() -> Any:
    return configuration().compute


def configuration(**studies: Any) -> Config:
    return validate(content() | {"studies": studies or {"grid": STUDY}, "compute": {"device": "cpu"}})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[Cell]]:
    """The packs that are filled, in order, of which none is trained."""
    packs: list[list[Cell]] = []

    def take(cells: list[Cell], *rest: object, deadline: float) -> tuple[list[str], list]:
        packs.append(cells)
        return [], []

    monkeypatch.setattr(filling, "fill_pack", take)
    monkeypatch.setattr(filling, "prepare", lambda *arguments: Path())
    return packs


def test_studies_come_in_their_order_and_all_of_a_seed_before_the_next(asked: list[list[Cell]], tmp_path: Path):
    config = configuration(later=STUDY, first=STUDY | MANY)
    assert fill(config, ["first", "later"], {}, tmp_path, tmp_path, 1.0, print)
    packs = [(pack[0].study, pack[0].pack_axes) for pack in asked]
    assert packs == [
        ("first", {"activation": "relu", "seed": 3}),
        ("first", {"activation": "tanh", "seed": 3}),
        ("first", {"activation": "relu", "seed": 1}),
        ("first", {"activation": "tanh", "seed": 1}),
        ("later", {"seed": 0}),
    ]


def test_a_training_that_is_stopped_is_told_and_nothing_is_begun_after_it(
    monkeypatch: pytest.MonkeyPatch, asked: list[list[Cell]], tmp_path: Path
):
    def stop(cells: list[Cell], *rest: object, deadline: float) -> None:
        asked.append(cells)
        raise OutOfTime

    monkeypatch.setattr(filling, "fill_pack", stop)
    said: list[str] = []
    assert not fill(configuration(first=STUDY | MANY), ["first"], {}, tmp_path, tmp_path / "work", 1.0, said.append)
    assert len(asked) == 1
    assert said[0].startswith("first pack 1/4 (activation=relu/seed=3): stopped in training after ")
    assert said[0].endswith(f"its checkpoint is in {tmp_path / 'work'}")


def test_when_the_time_is_over_no_training_is_begun(asked: list[list[Cell]], tmp_path: Path):
    assert not fill(configuration(), ["grid"], {}, tmp_path, tmp_path, -1.0, print)
    assert not asked
