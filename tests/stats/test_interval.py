"""Intervals cover what they say, and where they would not there is none."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from phase2.stats.interval import ENOUGH, mean_interval, over_seeds

DRAWS = 20_000
SHAPES = {  # all of mean 0
    "normal": lambda rng, shape: rng.normal(size=shape),
    "skewed to the right": lambda rng, shape: rng.gamma(4, size=shape) - 4,  # skewness 1
    "skewed to the left": lambda rng, shape: 4 - rng.gamma(4, size=shape),
}


@pytest.mark.parametrize("n", [5, 8, 10])
@pytest.mark.parametrize("shape", SHAPES)
def test_coverage_is_within_three_points_of_nominal(shape, n):
    low, high = mean_interval(SHAPES[shape](np.random.default_rng(n), (DRAWS, n)))
    assert np.mean((low <= 0) & (high >= 0)) == pytest.approx(0.95, abs=0.03)


def test_the_interval_is_scipys():
    values = np.random.default_rng(0).normal(size=(3, 6))
    theirs = [ttest_1samp(row, 0).confidence_interval(0.9) for row in values]
    np.testing.assert_allclose(np.transpose(mean_interval(values, 0.9)), [(each.low, each.high) for each in theirs])


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(0, 9), st.integers(0, 50))
def test_seeds_that_failed_are_as_if_they_had_not_been(n, lost, rng):
    values = np.random.default_rng(rng).normal(size=(1, n))
    with_lost = np.concatenate([values, np.full((1, lost), np.nan)], axis=1)
    pd.testing.assert_frame_equal(over_seeds(with_lost), over_seeds(values))


@pytest.mark.quick
@pytest.mark.parametrize("n", range(1, 8))
def test_fewer_than_five_seeds_have_a_range_and_no_interval(n):
    row = over_seeds(np.arange(n)[None]).iloc[0]
    assert (row["mean"], row["least"], row["most"], row["n"]) == ((n - 1) / 2, 0, n - 1, n)
    assert row[["low", "high"]].isna().all() == (n < ENOUGH)


def test_a_row_without_spread_gets_a_point_interval_beside_ordinary_rows():
    low, high = mean_interval(np.array([[0.125] * 5, [0.2, 0.3, 0.5, 0.1, 0.4]]))
    assert low[0] == high[0] == 0.125
    assert high[1] - low[1] == pytest.approx(2 * student.ppf(0.975, 4) * np.sqrt(0.025 / 5))
