"""A study in one row: what was chosen on validation, its test score, and by how much it beats the baseline."""

import numpy as np
import pandas as pd
import pytest

from phase2.stats.analysis import analyse
from phase2.stats.overview import OVERVIEW, overview
from phase2.study.score import Score

ACCURACY = Score("accuracy", "accuracy", "%", "higher", 0.1, "nats")
ERROR = Score("accuracy", "squared error", "", "lower", 1.0, "")
LINEAR = pd.DataFrame({"model": ["majority", "logistic"], "val_score": [0.1, 0.82], "test_score": [0.1, 0.7]})


def told(cells: pd.DataFrame, score: Score = ACCURACY, baseline: pd.DataFrame | None = LINEAR) -> dict:
    factors = [name for name in ("activation", "init", "schedule") if name in cells]
    tables = {"cells": cells.assign(steps=40, seconds=1.5), **analyse(cells, factors, score)}
    return overview("grid", "Which?", tables if baseline is None else tables | {"baseline": baseline})


def test_the_best_on_validation_is_told_with_its_gain_over_the_linear_baseline(make_cells):
    cells = make_cells(seeds=5)
    row = told(cells)
    means = cells.groupby(["activation", "init", "schedule"])[["val_accuracy", "test_accuracy"]].mean()
    best = means.loc[means.val_accuracy.idxmax()]
    assert tuple(row) == tuple(OVERVIEW)
    assert row["answer"] == ", ".join(map("=".join, zip(means.index.names, best.name, strict=True)))
    assert row["test"] == pytest.approx(100 * best.test_accuracy)
    assert row["effect"] == pytest.approx(100 * (best.test_accuracy - 0.7))
    assert row["low"] < row["effect"] < row["high"]
    assert row["seconds"] == 1.5 * len(cells)
    assert (row["baseline"], row["against"], row["n"], row["steps"], row["unit"]) == (
        pytest.approx(70),
        "logistic regression",
        5,
        40,
        "%",
    )


def test_a_better_test_score_chooses_nothing(make_cells):
    cells = make_cells(seeds=5)
    before = told(cells)["answer"]
    other = cells.activation != before.split("activation=")[1][:2]
    assert told(cells.assign(test_accuracy=cells.test_accuracy.where(~other, 1.0)))["answer"] == before


def test_a_study_without_a_baseline_is_measured_by_guessing(make_cells):
    row = told(make_cells(seeds=5), baseline=LINEAR[:0])
    assert row == told(make_cells(seeds=5), baseline=None)
    assert (row["baseline"], row["against"]) == (pytest.approx(10), "guessing")
    assert row["effect"] == pytest.approx(row["test"] - 10)


def test_below_five_seeds_there_is_no_interval(make_cells):
    row = told(make_cells(seeds=4))
    assert np.isnan(row["low"])
    assert np.isnan(row["high"])
    assert np.isfinite(row["effect"])


def test_where_less_is_better_a_smaller_score_is_a_gain_and_the_ends_are_in_order(make_cells):
    row = told(make_cells(seeds=5), ERROR, baseline=None)
    assert row["effect"] == pytest.approx(1 - row["test"])
    assert row["low"] < row["effect"] < row["high"]


def test_a_study_of_one_setting_and_one_that_failed_have_a_row(make_cells, diverge):
    assert told(make_cells(shape=(1,)))["answer"] == "activation=a0"
    failed = told(diverge(make_cells(), slice(None)))
    assert np.isnan(failed["test"])
    assert (failed["n"], failed["failed"]) == (0, 4)


def test_levels_that_look_like_numbers_are_found_in_columns_of_words(make_cells):
    cells = make_cells(shape=(2,), seeds=5)
    cells["activation"] = cells["activation"].map({"a0": "none", "a1": "1.0"})
    tables = {
        "cells": cells.assign(steps=cells["activation"].map({"none": 1, "1.0": 2}), seconds=1.0),
        **analyse(cells, ["activation"], ACCURACY),
    }
    tables["chosen"] = tables["chosen"].assign(activation=1.0)  # as it is read back from its one row
    assert overview("grid", "Which?", tables)["steps"] == 2
