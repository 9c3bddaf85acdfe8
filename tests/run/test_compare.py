"""Two runs, or two commits of one run's cells, side by side: what changed, and by how much."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from phase2.errors import UserError
from phase2.run.compare import Side, changes, report, side
from phase2.stats.interval import mean_interval
from phase2.study.results import METRICS, write_metrics
from phase2.study.store import MANIFEST

SCORES = {("relu", seed): 0.8 + 0.01 * seed for seed in range(5)} | {("tanh", seed): 0.7 for seed in range(5)}


def metrics_of(score: float | None, **changes: Any) -> dict[str, Any]:
    told = {"final": {"val_loss": 0.5, "val_accuracy": score}, "best": {"epoch": 1, "val_accuracy": score}}
    content = told if score is not None else {"final": None, "best": None}
    return {"id": "0" * 12, "status": "ok", "provenance": {"commit": "a" * 40, "finished": "2026"}} | content | changes


def side_of(name: str, scores: dict[tuple[str, int], float | None], study: str = "grid") -> Side:
    return Side(name, {(study, f"activation={a}/seed={s}"): metrics_of(score) for (a, s), score in scores.items()})


def test_what_changed_is_told_seed_by_seed_with_its_interval():
    after = SCORES | {("relu", seed): SCORES["relu", seed] + 0.001 * (1 + seed) for seed in range(5)}
    relu, tanh = changes(side_of("a", SCORES), side_of("b", after)).to_dict("records")
    assert (relu["combination"], relu["cells"], relu["changed"]) == ("activation=relu", 5, 5)
    low, high = mean_interval(np.array([[0.001, 0.002, 0.003, 0.004, 0.005]]))
    assert (relu["mean"], relu["low"], relu["high"]) == pytest.approx((0.003, low[0], high[0]))
    assert (tanh["changed"], tanh["mean"]) == (0, 0)


def test_below_five_seeds_there_is_a_range_and_no_interval():
    few = {key: score for key, score in SCORES.items() if key[1] < 3 and key[0] == "relu"}
    after = {key: score - 0.01 * key[1] for key, score in few.items()}
    (row,) = changes(side_of("a", few), side_of("b", after)).to_dict("records")
    assert np.isnan(row["low"])
    assert (row["least"], row["most"], row["n"]) == pytest.approx((-0.02, 0.0, 3))
    assert "activation=relu: accuracy -1 points [-2, +0]* (3 seeds)" in report(side_of("a", few), side_of("b", after))


def test_a_run_that_failed_is_in_no_mean_and_is_counted():
    after: dict[tuple[str, int], float | None] = {**SCORES, ("relu", 0): None}
    row = changes(side_of("a", SCORES), side_of("b", after)).iloc[0]
    assert (row["n"], row["changed"], row["failed_a"], row["failed_b"]) == (4, 1, 0, 1)
    assert "(4 seeds); failed: 0 before, 1 after" in report(side_of("a", SCORES), side_of("b", after))


def test_the_report_has_the_largest_change_first_and_what_is_in_one_alone():
    after = {key: score + (0.05 if key[0] == "tanh" else 0.001) for key, score in SCORES.items()}
    more = Side("b", side_of("b", after).cells | side_of("b", {("relu", 0): 0.5}, "other").cells)
    lines = report(side_of("a", {**SCORES, ("gelu", 0): 0.9}), more).splitlines()
    assert lines[0].startswith("what b scores above a")
    assert lines[2] == "grid: 10 of 10 cells changed, 1 only in a"
    assert [line.split(":")[0].strip() for line in lines[3:5]] == ["activation=tanh", "activation=relu"]
    assert lines[-1] == "in one of them alone: other"


def test_nothing_changed_is_said_as_such():
    assert "grid: 0 of 10 cells changed" in report(side_of("a", SCORES), side_of("b", SCORES))


def test_runs_without_a_common_cell_are_refused():
    with pytest.raises(UserError, match=r"a and b have no cell in common: expected studies of one name and axes"):
        changes(side_of("a", SCORES), side_of("b", SCORES, "other"))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A run `desk` of two cells."""
    for seed in (0, 1):
        folder = tmp_path / "results/desk/cells/grid/activation=relu" / f"seed={seed}"
        folder.mkdir(parents=True)
        write_metrics(folder / METRICS, metrics_of(0.5, id=str(seed) * 12))
    return tmp_path / "results"


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., None]:
    """Puts a cell's metrics into a store."""

    def put(key: str, score: float, cell: str, commit: str, finished: str) -> None:
        folder = tmp_path / "store" / key[:2] / key
        folder.mkdir(parents=True)
        made = metrics_of(score, id=cell, provenance={"commit": commit, "finished": finished})
        (folder / METRICS).write_text(json.dumps(made))
        (folder / MANIFEST).write_text("{}")

    return put


def test_a_run_is_read_by_its_name(results: Path, tmp_path: Path):
    read = side("desk", results, tmp_path / "store", "desk")
    assert list(read.cells) == [("grid", f"activation=relu/seed={seed}") for seed in (0, 1)]


def test_a_commit_is_what_it_trained_of_a_runs_cells_the_latest_counts(results: Path, tmp_path: Path, put):
    put("a" * 64, 0.6, "0" * 12, "c0ffee1" + "0" * 33, "2026-01-01")
    put("b" * 64, 0.7, "0" * 12, "c0ffee1" + "0" * 33, "2026-01-02")
    put("c" * 64, 0.8, "0" * 12, "deadbee" + "0" * 33, "2026-01-03")
    put("d" * 64, 0.9, "9" * 12, "c0ffee1" + "0" * 33, "2026-01-03")  # of another run
    read = side("c0ffee1", results, tmp_path / "store", "desk")
    assert [each["final"]["val_accuracy"] for each in read.cells.values()] == [0.7]


@pytest.mark.parametrize("name", ["dsek", "c0ffee1", "c0f"])
def test_what_is_neither_run_nor_commit_is_told_the_runs_that_there_are(name: str, results: Path, tmp_path: Path):
    with pytest.raises(UserError, match=rf"'{name}' is neither a run with cells in .*results/ \(desk\) nor a commit"):
        side(name, results, tmp_path / "store", "desk")


def test_a_damaged_result_is_named(results: Path, tmp_path: Path):
    path = results / "desk/cells/grid/activation=relu/seed=0" / METRICS
    path.write_text("{}")
    with pytest.raises(UserError, match=r"seed=0/metrics.json is damaged .*: run `snakemake`, which makes it again"):
        side("desk", results, tmp_path / "store", "desk")
