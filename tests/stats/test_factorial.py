from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from phase2.stats.design import Design
from phase2.stats.factorial import sums_of_squares, variance

shapes = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4))


def random_design(shape, rng) -> Design:
    levels = tuple(tuple(range(size)) for size in shape)
    return Design(("a", "b", "c"), levels[:3], levels[3], np.random.default_rng(rng).normal(size=shape))


@pytest.mark.parametrize("shape", [(3, 2, 2, 5), (2, 3, 4, 6), (6, 5, 5, 5)])
def test_decomposition_matches_statsmodels(shape):
    grid = random_design(shape, rng=1)
    index = pd.MultiIndex.from_product([range(size) for size in shape], names=["a", "b", "c", "seed"])
    cells = pd.DataFrame({"y": grid.values.ravel()}, index=index).reset_index()
    theirs = anova_lm(ols("y ~ C(a) * C(b) * C(c) + C(seed)", cells).fit())
    theirs.index = [str(name).replace("C(", "").replace(")", "") for name in theirs.index]
    ours = variance(grid).set_index("term")
    theirs = theirs.rename(index={"Residual": "residual"}).loc[ours.index]
    assert list(ours["df"]) == list(theirs["df"].astype(int))
    np.testing.assert_allclose(ours["share"], theirs["sum_sq"] / theirs["sum_sq"].sum(), rtol=1e-9)
    np.testing.assert_allclose(ours["F"], theirs["F"], rtol=1e-9)
    np.testing.assert_allclose(ours["p"], theirs["PR(>F)"], rtol=1e-8)


@settings(max_examples=30, deadline=None)
@given(shape=shapes, rng=st.integers(0, 100))
def test_sums_of_squares_add_up_to_the_total(shape, rng):
    values = random_design(shape, rng).values
    terms = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
    squares = sums_of_squares(values, terms)
    assert squares.sum() == pytest.approx(((values - values.mean()) ** 2).sum())
    assert (squares >= 0).all()


def test_a_factor_with_one_level_has_no_term(make_design):
    table = variance(make_design(shape=(3, 1, 2)))
    assert list(table["term"]) == ["activation", "schedule", "activation:schedule", "seed", "residual"]


def test_partial_omega_squared_follows_its_definition(make_design):
    grid = make_design(seeds=5)
    table = variance(grid).set_index("term")
    df, F = table.loc["init", "df"], table.loc["init", "F"]
    assert table.loc["init", "omega2"] == pytest.approx(df * (F - 1) / (df * (F - 1) + grid.values.size))


def test_no_variation_gives_nan_shares_and_tests():
    table = variance(Design(("a",), (("x", "y"),), (0, 1), np.full((2, 2), 0.1)))
    assert table[["share", "F", "p", "omega2"]].isna().all(axis=None)


@pytest.mark.parametrize("shape", [(3, 2, 2), (4, 1, 1)])
def test_one_seed_cannot_tell_an_effect_from_noise(make_design, shape):
    table = variance(make_design(shape=shape, seeds=1))
    assert table[["share", "omega2", "F", "p"]].isna().all(axis=None)


def test_of_fewer_than_five_seeds_shares_are_told_and_no_test_is_made(make_design):
    table = variance(make_design(shape=(3, 2), seeds=4))
    assert table["share"].notna().all()
    assert table[["omega2", "F", "p"]].isna().all(axis=None)


def test_a_single_factor_shares_with_seed_and_residual(make_design):
    table = variance(make_design(shape=(4,), seeds=5)).set_index("term")
    assert list(table.index) == ["activation", "seed", "residual"]
    assert table.share.sum() == pytest.approx(1)
    assert table.share["residual"] > 0


def test_where_a_run_failed_the_variance_is_of_the_seeds_at_which_none_did(make_design):
    grid = make_design(seeds=5)
    values = grid.values.copy()
    values[0, 0, 0, 3] = values[1, 1, 1, 3] = np.nan
    table = variance(replace(grid, values=values))
    without = variance(replace(grid, seeds=(0, 1, 2, 4), values=grid.values[..., [0, 1, 2, 4]]))
    pd.testing.assert_frame_equal(table, without.assign(failed=2))
    assert set(table.n) == {4}


def test_a_combination_that_always_fails_leaves_no_variance_to_share(make_design):
    grid = make_design()
    values = grid.values.copy()
    values[0, 0, 0] = np.nan
    table = variance(replace(grid, values=values))
    assert table[["share", "omega2", "F", "p"]].isna().all(axis=None)
    assert (set(table.n), set(table.failed)) == ({0}, {4})
