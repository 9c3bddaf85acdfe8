"""The maps of the loss around trained networks: one scale, the minimum where it is, any grid of networks."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.landscape.landscape_planes import SHOWN, landscape_planes


def made_up(axes, points=7, centre=(0.0, 0.0), radius=1.0):
    """Bowls of depth 0.1, 0.2, ... around `centre`, in the order of the combinations."""
    side, rows = np.linspace(-radius, radius, points), []
    for index, levels in enumerate(product(*axes.values())):
        for x, y in product(side, side):
            rows.append((*levels, 0, x, y, 0.1 * (index + 1) + (x - centre[0]) ** 2 + (y - centre[1]) ** 2))
    return pd.DataFrame(rows, columns=[*axes, "seed", "x", "y", "loss"])


DESK = {"norm": ["none", "batch", "layer"], "depth": [2, 20]}


@pytest.mark.parametrize(
    "axes",
    [
        DESK,
        {},
        {"depth": [2]},
        {"norm": ["none", "batch", "layer", "rms"], "depth": [2, 10, 30, 50]},
        {"norm": ["none", "batch"], "depth": [2, 20], "activation": ["relu", "tanh"]},
        {"init": ["kaiming", "xavier", "orthogonal", "lsuv", "normal_large"]},
    ],
)
def test_any_grid_of_networks_fits_the_page(axes):
    planes = made_up(axes, points=5)
    before = planes.copy()
    figure = landscape_planes(planes=planes)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    assert figure.get_figheight() <= 8.5 + 1e-9
    assert len(figure.axes) == max(1, np.prod([len(levels) for levels in axes.values()])) + 1
    pd.testing.assert_frame_equal(planes, before)


def test_the_first_factor_varies_along_a_row():
    titles = [axes.get_title() for axes in landscape_planes(planes=made_up(DESK)).axes[:-1]]
    names = ["none", "BatchNorm", "LayerNorm"]
    assert titles == [f"depth {depth}\n{name}" for depth in (2, 20) for name in names]


def test_all_panels_have_one_scale_from_the_least_loss_to_the_largest_but_a_twentieth():
    planes = made_up(DESK, radius=0.8)
    *panels, bar = landscape_planes(planes=planes).axes
    scales = {(axes.collections[0].norm.vmin, axes.collections[0].norm.vmax) for axes in panels}
    assert len(scales) == 1
    np.testing.assert_allclose(scales.pop(), (planes.loss.min(), planes.loss.quantile(SHOWN)))
    assert bar.get_ylabel() == "training loss (nats)"


def test_a_few_losses_far_above_all_others_share_a_colour_and_no_map_is_of_one():
    planes = made_up(DESK, radius=1e3)
    planes.loc[planes.index % 50 == 0, "loss"] = 1e9
    for axes in landscape_planes(planes=planes).axes[:-1]:
        filled = axes.collections[0]
        assert filled.norm.vmax < 1e8
        assert filled.extend == "max"
        assert sum(len(path.vertices) > 0 for path in filled.get_paths()) > 5  # of its colours are seen


def test_a_cross_marks_the_network_and_a_ring_the_least_loss():
    axes = landscape_planes(planes=made_up(DESK, centre=(1.0, -1 / 3))).axes[2]
    cross, ring = axes.lines
    assert (cross.get_xdata()[0], cross.get_ydata()[0]) == (0, 0)
    np.testing.assert_allclose((ring.get_xdata()[0], ring.get_ydata()[0]), (1.0, -1 / 3))


def test_a_loss_that_is_not_finite_is_left_out():
    planes = made_up(DESK)
    planes.loc[planes.x > 0.9, "loss"] = np.inf
    planes.loc[(planes.norm == "none") & (planes.depth == 2), "loss"] = np.nan
    first, *others, _ = landscape_planes(planes=planes).axes
    assert len(first.lines) == 1  # no least loss
    assert all(len(axes.lines) == 2 for axes in others)


def test_a_flat_loss_is_drawn():
    check_every_text_is_inside_and_readable(landscape_planes(planes=made_up({}).assign(loss=0.7)))
