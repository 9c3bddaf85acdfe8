"""The figure of the test functions shows the paths by kind of method, and the quadratic's distances against theory."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.trajectories.descent_paths import FLOOR, descent_paths

OPTIMIZERS = ["sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adam", "adamw"]


def made_up(optimizers=OPTIMIZERS, steps=50):
    names, step = ("quadratic", "rosenbrock", "beale"), np.arange(steps + 1)
    paths = [
        pd.DataFrame({"function": f, "optimizer": o, "lr": 0.1, "step": step, "x": step / 50, "y": 0.5})
        for f, o in product(names, optimizers)
    ]
    methods = [
        pd.DataFrame(
            {"method": m, "condition": 50.0, "step": step, "predicted": r**step, "distance": (1 + step) * r**step}
        )
        for m, r in (("gradient_descent", 0.96), ("momentum", 0.5), ("nesterov", 0.8))
    ]
    return {"functions": pd.concat(paths), "quadratic": pd.concat(methods)}


def test_fits_the_page_without_clipped_or_overlapping_text():
    figure = descent_paths(**made_up())
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    assert figure.get_figheight() < 4


def test_methods_with_one_rate_are_above_and_those_with_a_rate_a_coordinate_below():
    figure = descent_paths(**made_up())
    above, below = figure.axes[0], figure.axes[3]
    assert [len(axes.lines) - 2 for axes in (above, below)] == [3, 4]  # but for the minimum and the start
    assert [axes.get_title().lower() for axes in figure.axes[:3]] == ["quadratic", "rosenbrock", "beale"]
    colours = {line.get_color() for axes in (above, below) for line in axes.lines[2:]}
    assert len(colours) == len(OPTIMIZERS)


def test_distances_are_markers_and_predictions_lines_down_to_rounding():
    axes = descent_paths(**made_up()).axes[-1]
    for line, dots, rate in zip(axes.lines[::2], axes.lines[1::2], (0.96, 0.5, 0.8), strict=True):
        np.testing.assert_allclose(line.get_ydata(), rate ** line.get_xdata())
        np.testing.assert_allclose(dots.get_ydata(), (1 + dots.get_xdata()) * rate ** dots.get_xdata())
        assert min(line.get_ydata()) > FLOOR


@pytest.mark.parametrize("optimizers", [["sgd"], ["adam"]])
def test_a_single_optimizer_is_drawn_in_a_single_row(optimizers):
    figure = descent_paths(**made_up(optimizers, steps=10))
    check_every_text_is_inside_and_readable(figure)
    assert len(figure.axes) == 4
