"""The figure of saturated and dead units shows every network that learned, for any study."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.unit_health.draw import unit_health

ACTIVATIONS = ["leaky_relu", "relu", "gelu", "tanh", "sigmoid"]


def units(activations=ACTIVATIONS, depth=4, seeds=5, inits=("xavier", "kaiming"), learned=None):
    random = np.random.default_rng(0)
    rows = product(activations, inits, range(seeds), range(1, depth + 1))
    table = pd.DataFrame(rows, columns=["activation", "init", "seed", "layer"])
    told = {"val_accuracy": 0.8, "learned": (table.activation != "sigmoid") | (table.seed == 0)}
    for place, (name, values) in enumerate(told.items()):
        table.insert(3 + place, name, values if learned is None or name != "learned" else learned)
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


def test_a_dot_is_a_network_that_learned_and_a_stroke_their_median():
    table = units()
    figure = unit_health(units=table)
    assert [axes.get_title() for axes in figure.axes[:4]] == ["layer 1", "layer 2", "layer 3", "layer 4"]
    names = [tick.get_text() for tick in figure.axes[4].get_yticklabels()]
    assert names == [f"{name} (10 of 10)" for name in ("ReLU", "LeakyReLU", "GELU", "tanh")] + ["sigmoid (2 of 10)"]
    dots, strokes = figure.axes[4 + 2].collections[::2], figure.axes[4 + 2].collections[1::2]
    for place, (activation, count) in {0: ("relu", 10), 4: ("sigmoid", 2)}.items():
        shown = 100 * table[(table.activation == activation) & (table.layer == 3) & table.learned].dead
        np.testing.assert_allclose(dots[place].get_offsets()[:, 0], sorted(shown))
        assert len(shown) == count
        assert strokes[place].get_segments()[0][0, 0] == pytest.approx(shown.median())


def test_of_networks_of_which_none_learned_nothing_is_shown_but_that():
    figure = unit_health(units=units(learned=False))
    assert not any(axes.collections for axes in figure.axes)
    assert figure.axes[0].get_yticklabels()[0].get_text() == "ReLU (0 of 10)"
    check_every_text_is_inside_and_readable(figure)


def test_every_dot_is_inside_its_panel():
    figure = unit_health(units=units())
    for axes in figure.axes:
        low, high = axes.get_xlim()
        dots = np.concatenate([dots.get_offsets()[:, 0] for dots in axes.collections[::2]])
        assert low < dots.min()
        assert dots.max() < high


def test_of_many_layers_six_are_shown_from_the_first_to_the_last():
    titles = [axes.get_title() for axes in unit_health(units=units(depth=50)).axes[:6]]
    assert titles == ["layer 1", "layer 11", "layer 21", "layer 30", "layer 40", "layer 50"]
