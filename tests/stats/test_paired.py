from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from phase2.stats.bootstrap import mean_interval
from phase2.stats.paired import effect_size, holm, pairs, sign_flip, t_test

pytestmark = pytest.mark.quick


def test_every_pair_of_levels_is_compared_once(make_design):
    table = pairs(make_design(shape=(4, 3, 1)))
    assert table["factor"].value_counts().to_dict() == {"activation": 6, "init": 3}


def test_differences_are_paired_by_seed_over_means_of_the_other_factors(make_design):
    grid = make_design()
    row = pairs(grid).iloc[0]
    a, b = grid.values[0].mean(axis=(0, 1)), grid.values[1].mean(axis=(0, 1))
    assert (row["a"], row["b"], row["n"]) == ("a0", "a1", 4)
    assert row["difference"] == pytest.approx(np.mean(a - b))
    assert row["p_t"] == pytest.approx(ttest_rel(a, b).pvalue)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=7))
def test_sign_flip_p_equals_brute_force_over_all_flips(values):
    d = np.array(values, float)
    flips = np.array(list(product([1, -1], repeat=len(d))))
    expected = np.mean(np.abs(flips @ d) >= abs(d.sum()) - 1e-9)
    assert sign_flip(d[None])[0] == pytest.approx(expected)


@pytest.mark.parametrize("n", [2, 5])
def test_sign_flip_p_is_never_below_two_over_two_to_the_n(n):
    assert sign_flip(np.full((1, n), 3.0))[0] == pytest.approx(2 / 2**n)


def test_hedges_correction_at_five_seeds_is_the_tables_value():
    d = np.array([1.0, 2, 3, 4, 5])
    assert effect_size(d) == pytest.approx(0.79788 * 3 / np.std(d, ddof=1), rel=1e-4)


def test_effect_size_needs_three_seeds():
    assert np.isnan(effect_size(np.array([1.0, 2])))


def test_identical_levels_have_p_one_and_a_constant_difference_has_none():
    assert t_test(np.zeros(5)) == 1.0
    assert np.isnan(t_test(np.full(5, 0.25)))


def test_holm_leaves_out_what_could_not_be_tested():
    adjusted = holm(np.array([0.01, np.nan, 0.04]))
    np.testing.assert_allclose(adjusted, [0.02, np.nan, 0.04])


def test_holm_family_is_one_factor(make_design):
    table = pairs(make_design(shape=(3, 2, 2)))
    init = table[table["factor"] == "init"]
    np.testing.assert_allclose(init["p_holm"], init["p_t"])


def test_intervals_are_deterministic_and_hold_the_mean():
    values = np.random.default_rng(0).normal(size=(6, 5))
    low, high = mean_interval(values)
    assert (low <= values.mean(axis=1)).all()
    assert (values.mean(axis=1) <= high).all()
    np.testing.assert_array_equal(mean_interval(values), (low, high))


def test_a_row_without_spread_gets_a_point_interval_beside_ordinary_rows():
    low, high = mean_interval(np.array([[0.1, 0.1, 0.1], [0.2, 0.3, 0.5]]))
    assert low[0] == high[0] == pytest.approx(0.1)
    assert low[1] < high[1]


def test_one_seed_has_no_interval():
    assert np.isnan(mean_interval(np.array([[0.3]]))).all()
