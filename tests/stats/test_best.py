"""Multiple comparisons with the best: hold at once as often as they say, and say as much as the seeds tell."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from phase2.stats.best import behind_best

# Dunnett (1955), table 1a: one-sided 5% points for 1 to 9 comparisons at correlation 1/2, by degrees of freedom.
DUNNETT = {
    5: [2.02, 2.44, 2.68, 2.85, 2.98, 3.08, 3.16, 3.24, 3.30],
    10: [1.81, 2.15, 2.34, 2.47, 2.56, 2.64, 2.70, 2.76, 2.81],
}


def critical(comparisons, df):
    """The critical value in use: how many standard errors the first's bound is from its lead over the second."""
    noise = np.random.default_rng(0).normal(size=(comparisons, df + 1))
    table = behind_best(np.concatenate([np.zeros((1, df + 1)), noise - 100 * np.arange(1, comparisons + 1)[:, None]]))
    return (table.behind[0] - table.behind_low[0]) / (noise[0].std(ddof=1) / np.sqrt(df + 1))


@pytest.mark.parametrize("df", DUNNETT)
def test_the_critical_value_is_dunnetts_for_one_rival_and_never_below_it(df):
    for comparisons, tabled in enumerate(DUNNETT[df], start=1):
        ours = critical(comparisons, df)
        assert ours == pytest.approx(student.ppf(1 - 0.05 / comparisons, df))
        assert ours >= tabled - 0.005
    assert critical(1, df) == pytest.approx(DUNNETT[df][0], abs=0.005)


NOISES = {"alike": [1.0] * 6, "two are noisy": [1, 1, 0.1, 0.1, 0.1, 0.1], "the best is quiet": [0.1, 0.3, 1, 1, 3, 3]}


@pytest.mark.parametrize("n", [5, 8])
@pytest.mark.parametrize("noise", NOISES)
def test_bounds_hold_at_once_in_95_of_100_draws_whatever_the_noise(noise, n):
    rng, draws = np.random.default_rng(n), 600
    means = np.array([0.0, 0.0, -0.1, -0.1, -0.5, -2])
    behind = np.array([np.delete(means, i).max() for i in range(6)]) - means
    held = 0
    for _ in range(draws):
        blocks = rng.normal(size=n)  # what a seed does to all
        table = behind_best(means[:, None] + np.array(NOISES[noise])[:, None] * rng.normal(size=(6, n)) + blocks)
        inside = (table.behind_low <= behind) & (behind <= table.behind_high)
        held += inside.all() and table.may_be_best[means == 0].all()
    assert held / draws >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / draws)


def test_a_quarter_right_is_no_tie_with_four_fifths_right():
    values = np.random.default_rng(0).normal(0.25, 0.03, size=(42, 5))
    values[7] += 0.557
    table = behind_best(values)
    assert np.flatnonzero(table.may_be_best.astype(bool)).tolist() == [7]
    assert (table.behind_low.drop(7) == 0).all()
    assert table.behind_low[7] < -0.3
    assert table.behind_high[7] == 0


@pytest.mark.quick
def test_four_seeds_tell_how_far_behind_and_nothing_else():
    table = behind_best(np.array([[3.0, 4, 5, 6], [1, 2, 3, 4], [0, 0, 0, 0]]))
    assert table.behind.tolist() == [-2, 2, 4.5]
    assert table[["behind_low", "behind_high", "may_be_best"]].isna().all(axis=None)


def test_combinations_that_are_the_same_may_all_be_the_best():
    table = behind_best(np.tile([0.1, 0.2, 0.3, 0.4, 0.5], (3, 1)))
    assert table.may_be_best.all()
    assert (table[["behind", "behind_low", "behind_high"]] == 0).all(axis=None)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(0, 50))
def test_a_combination_that_failed_at_a_seed_is_not_compared_and_changes_nothing(whole, rng):
    values = np.random.default_rng(rng).normal(size=(whole + 1, 6))
    values[whole, 2] = np.nan
    table = behind_best(values)
    assert table.loc[whole].isna().all()
    pd.testing.assert_frame_equal(table[:whole], behind_best(values[:whole]))
