"""The figure of paths shows them over the map of the loss, with the rate each optimizer was best at."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.trajectories.draw import trajectories

pytestmark = pytest.mark.quick

OPTIMIZERS = ["sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adam", "adamw"]
STEPS = np.arange(0, 100, 4)


def made_up(optimizers=OPTIMIZERS, steps=STEPS, points=9, low=0.4):
    paths = [
        pd.DataFrame({"optimizer": name, "step": steps, "x": -steps / 20, "y": place * steps / 90})
        for place, name in enumerate(optimizers)
    ]
    paths = pd.concat(paths, ignore_index=True)
    paths["loss"] = 3 / (1 + paths.step) + 0.1
    surface = pd.DataFrame(product(np.linspace(-6, 1, points), np.linspace(-1, 8, points)), columns=["x", "y"])
    surface = surface.assign(loss=low * np.exp((surface.x + 6) / 3), share_x=0.7, share_y=0.2)
    tuning = pd.DataFrame(
        product(["network", "beale"], optimizers, [0.1, 0.01]), columns=["problem", "optimizer", "lr"]
    )
    return {"paths": paths, "surface": surface, "tuning": tuning.assign(best=tuning.lr == 0.01)}


def test_fits_the_page_without_clipped_or_overlapping_text():
    figure = trajectories(**made_up())
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    assert figure.get_figheight() < 4


def test_each_path_is_drawn_in_the_plane_and_by_step():
    tables = made_up()
    left, right = trajectories(**tables).axes[:2]
    for (_, path), line, loss in zip(
        tables["paths"].groupby("optimizer", sort=False), left.lines[:-1:2], right.lines, strict=True
    ):
        np.testing.assert_array_equal(line.get_xydata(), path[["x", "y"]])
        np.testing.assert_array_equal(loss.get_xydata(), path[["step", "loss"]])
    np.testing.assert_array_equal(left.lines[-1].get_xydata(), [[0, 0]])  # the start


def test_the_legend_has_the_best_rate_and_the_axes_their_shares():
    figure = trajectories(**made_up(["sgd", "adam"]))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["SGD, 0.01", "Adam, 0.01"]
    assert "70%" in figure.axes[0].get_xlabel()
    assert "20%" in figure.axes[0].get_ylabel()


@pytest.mark.parametrize("changed", [{"optimizers": ["adam"]}, {"steps": np.arange(2)}, {"points": 2}])
def test_the_smallest_paths_and_maps_are_drawn(changed):
    check_every_text_is_inside_and_readable(trajectories(**made_up(**changed)))


def test_points_of_the_map_that_are_not_finite_stay_blank():
    tables = made_up()
    tables["surface"].loc[:3, "loss"] = [np.nan, np.inf, np.nan, 1.0]
    check_every_text_is_inside_and_readable(trajectories(**tables))
