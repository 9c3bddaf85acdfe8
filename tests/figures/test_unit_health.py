"""The figure of saturated and dead units shows the tables' means over seeds, for any study."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.figures.marks import over_seeds
from phase2.probe.unit_health.draw import unit_health

ACTIVATIONS = ["leaky_relu", "relu", "gelu", "tanh", "sigmoid"]


def units(activations=ACTIVATIONS, depth=4, seeds=5, inits=("xavier", "kaiming")):
    random = np.random.default_rng(0)
    rows = product(activations, inits, range(seeds), range(1, depth + 1))
    table = pd.DataFrame(rows, columns=["activation", "init", "seed", "layer"])
    drawn = {name: random.uniform(0, 0.3, len(table)) for name in ("saturated", "dead")}
    return table.assign(**drawn, mean=0.1, std=1.0)


@pytest.mark.parametrize(
    "table",
    [units(), units(depth=20), units(["relu"], depth=1, seeds=1), units(seeds=1), units().assign(dead=0.0)],
    ids=["desk", "deep", "one dot", "one seed", "none dead"],
)
def test_units_of_any_study_fit_the_page(table):
    before = table.copy()
    figure = unit_health(units=table)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    pd.testing.assert_frame_equal(table, before)


def test_dots_are_means_over_seeds_in_percent_other_axes_averaged_first():
    table = units()
    figure = unit_health(units=table)
    assert [axes.get_title() for axes in figure.axes[:4]] == ["layer 1", "layer 2", "layer 3", "layer 4"]
    left, third = figure.axes[4], figure.axes[4 + 2]
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["ReLU", "LeakyReLU", "GELU", "tanh", "sigmoid"]
    dots, lines = third.collections[1].get_offsets(), third.collections[0].get_segments()
    seeds = table.query("activation == 'relu' and layer == 3").groupby("seed").dead.mean()
    half = student.ppf(0.975, 4) * seeds.sem()
    assert dots[0, 0] == pytest.approx(100 * seeds.mean())
    np.testing.assert_allclose(lines[0][:, 0], [100 * max(0, seeds.mean() - half), 100 * (seeds.mean() + half)])


def test_every_dot_and_interval_is_inside_its_panel():
    figure = unit_health(units=units())
    for axes in figure.axes:
        low, high = axes.get_xlim()
        ends = np.concatenate([segment[:, 0] for segment in axes.collections[0].get_segments()])
        assert low < ends.min()
        assert ends.max() < high


def test_of_many_layers_six_are_shown_from_the_first_to_the_last():
    titles = [axes.get_title() for axes in unit_health(units=units(depth=50)).axes[:6]]
    assert titles == ["layer 1", "layer 11", "layer 21", "layer 30", "layer 40", "layer 50"]


def test_fewer_than_five_seeds_have_their_range():
    rows = over_seeds(units(seeds=2), ["activation"], "saturated")
    seeds = units(seeds=2).groupby(["activation", "seed"]).saturated.mean().groupby("activation")
    np.testing.assert_allclose(rows.low, seeds.min())
    np.testing.assert_allclose(rows.high, seeds.max())
