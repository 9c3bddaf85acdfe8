"""The figure of the range test shows the seeds' mean and range where all are in the test, and the suggested rates."""

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.range_test.draw import range_test

RATES = np.geomspace(1e-6, 10, 50)


def made_up(optimizers=("sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adam"), seeds=3, ends=(50, 45, 40)):
    losses, suggestions = [], []
    for optimizer in optimizers:
        for seed in range(seeds):
            run, steps = {"optimizer": optimizer, "seed": seed}, ends[seed]
            smoothed = (2.0 + seed) / (1 + np.arange(steps) / 10)
            losses.append(pd.DataFrame(run | {"lr": RATES[:steps], "smoothed": smoothed}))
            suggestions.append(run | {"steepest": 10.0 ** (seed - 4), "breakout": np.nan if seed else 0.1})
    return {"losses": pd.concat(losses, ignore_index=True), "suggestions": pd.DataFrame(suggestions)}


def test_fits_the_page_without_clipped_or_overlapping_text():
    figure = range_test(**made_up())
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    assert figure.get_figheight() < 4


def test_the_curve_is_the_mean_over_seeds_up_to_the_first_that_ends():
    curve = range_test(**made_up()).axes[0].lines[0]
    np.testing.assert_allclose(curve.get_xdata(), RATES[:40])
    np.testing.assert_allclose(curve.get_ydata(), 3 / (1 + np.arange(40) / 10))


def test_lines_are_at_the_geometric_means_of_the_suggestions_there_are():
    _, steepest, breakout = range_test(**made_up()).axes[0].lines
    assert steepest.get_xdata()[0] == pytest.approx(1e-3)
    assert breakout.get_xdata()[0] == pytest.approx(0.1)


def test_an_optimizer_without_a_suggestion_has_no_line():
    tables = made_up(["sgd"], seeds=1)
    tables["suggestions"] = tables["suggestions"].assign(steepest=np.nan, breakout=np.nan)
    assert len(range_test(**tables).axes[0].lines) == 1


@pytest.mark.parametrize("optimizers", [["sgd"], ["sgd", "momentum", "nesterov", "rmsprop", "adam"]])
def test_any_number_of_optimizers_has_a_panel_each(optimizers):
    figure = range_test(**made_up(optimizers, seeds=1))
    assert len(figure.axes) == len(optimizers)
    check_every_text_is_inside_and_readable(figure)
