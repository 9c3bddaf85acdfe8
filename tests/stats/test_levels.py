"""The means of single levels: over the same combinations for each, or none."""

from dataclasses import replace

import numpy as np
import pytest

from phase2.stats.ranking import level_means

pytestmark = pytest.mark.quick


def test_a_level_that_fails_where_others_are_bad_does_not_look_better_for_it(make_design):
    grid = make_design(shape=(3, 2), seeds=5)
    values = grid.values.copy()
    values[:, 1] -= 0.5  # the second init is bad with every activation
    values[0, 1, 2] = np.nan  # and with the first one a run of it fails
    means = level_means(replace(grid, values=values)).set_index(["factor", "level"])
    activations = means.loc["activation"]
    assert activations["mean"].tolist() == pytest.approx(grid.values[:, 0].mean(-1).tolist())
    assert activations["failed"].tolist() == [1, 0, 0]
    assert means.loc["init"]["mean"].tolist() == pytest.approx(values[1:].mean((0, 2)).tolist())


def test_levels_without_a_combination_at_which_all_finished_have_no_mean(make_design):
    grid = make_design(shape=(2, 2), seeds=5)
    values = grid.values.copy()
    values[0, 0] = values[1, 1] = np.nan
    means = level_means(replace(grid, values=values))
    assert means["mean"].isna().all()
    assert (means["n"] == 0).all()
