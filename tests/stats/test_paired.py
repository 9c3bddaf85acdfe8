from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_rel

from phase2.stats.paired import compare, effect_size, holm, pairs, t_test

pytestmark = pytest.mark.quick


def test_every_pair_of_levels_is_compared_once(make_design):
    table = pairs(make_design(shape=(4, 3, 1)))
    assert table["factor"].value_counts().to_dict() == {"activation": 6, "init": 3}


def test_differences_are_paired_by_seed_over_means_of_the_other_factors(make_design):
    grid = make_design(seeds=5)
    row = pairs(grid).iloc[0]
    a, b = grid.values[0].mean(axis=(0, 1)), grid.values[1].mean(axis=(0, 1))
    assert (row["a"], row["b"], row["n"]) == ("a0", "a1", 5)
    assert row["difference"] == pytest.approx(np.mean(a - b))
    assert row["p_t"] == pytest.approx(ttest_rel(a, b).pvalue)


def test_hedges_correction_at_five_seeds_is_the_tables_value():
    d = np.array([1.0, 2, 3, 4, 5])
    assert effect_size(d) == pytest.approx(0.79788 * 3 / np.std(d, ddof=1), rel=1e-4)


@pytest.mark.parametrize("n", [1, 3, 4, 5])
def test_fewer_than_five_seeds_are_compared_without_p_interval_or_effect(n):
    table = compare(np.random.default_rng(n).normal(size=(3, n)))
    assert table[["p_t", "p_holm", "effect", "low", "high"]].isna().all(axis=None) == (n < 5)
    assert table[["difference", "least", "most"]].notna().all(axis=None)


def test_identical_levels_have_p_one_and_a_constant_difference_has_none():
    assert t_test(np.zeros(5)) == 1.0
    assert np.isnan(t_test(np.full(5, 0.25)))


def test_holm_leaves_out_what_could_not_be_tested():
    adjusted = holm(np.array([0.01, np.nan, 0.04]))
    np.testing.assert_allclose(adjusted, [0.02, np.nan, 0.04])


def test_holm_family_is_one_factor(make_design):
    table = pairs(make_design(shape=(3, 2, 2), seeds=5))
    init = table[table["factor"] == "init"]
    np.testing.assert_allclose(init["p_holm"], init["p_t"])


def test_pairs_are_of_the_seeds_at_which_both_finished(make_design):
    grid = make_design(shape=(3,), seeds=8)
    values = grid.values.copy()
    values[0, 2] = values[1, 2] = values[1, 5] = np.nan
    table = pairs(replace(grid, values=values)).set_index(["a", "b"])
    both = [0, 1, 3, 4, 6, 7]
    assert table.n.tolist() == [6, 7, 6]
    assert table[["failed_a", "failed_b"]].to_numpy().tolist() == [[1, 2], [1, 0], [2, 0]]
    assert table.loc[("a0", "a1"), "p_t"] == pytest.approx(ttest_rel(values[0, both], values[1, both]).pvalue)


def test_levels_are_compared_at_the_other_levels_at_which_both_finished(make_design):
    grid = make_design(shape=(2, 3), seeds=5)
    values = grid.values.copy()
    values[0, 1] = np.nan  # the first activation always fails with the second init
    row = pairs(replace(grid, values=values)).iloc[0]
    assert row.difference == pytest.approx((values[0] - values[1])[[0, 2]].mean())
    assert (row.n, row.failed_a, row.failed_b) == (5, 5, 0)
