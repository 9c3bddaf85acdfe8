"""The mean-field figure draws what its tables say, for whole grids and for the smallest."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.mean_field.draw import FAR, mean_field

ACTIVATIONS = ["relu", "gelu", "tanh", "sigmoid"]
WEIGHTS, BIASES = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0], [0.0, 0.4, 0.8]


def made_up(activations=ACTIVATIONS, weights=WEIGHTS, biases=BIASES, depth=20):
    nets = pd.DataFrame(product(activations, weights, biases), columns=["activation", "weight_std", "bias_std"])
    variance = nets.merge(pd.DataFrame({"layer": np.arange(1, depth + 1)}), how="cross")
    variance["predicted"] = variance.weight_std ** (2 * variance.layer)
    variance = variance.merge(pd.DataFrame({"seed": [0, 1]}), how="cross")
    variance["measured"] = variance.predicted * (0.9 + 0.2 * variance.seed)
    phase = nets.assign(chi=1.0, fixed_point=1.0, predicted_growth=np.log(nets.weight_std))
    phase = phase.merge(pd.DataFrame({"seed": [0, 1]}), how="cross")
    boundary = pd.DataFrame(product(activations, biases, [1.2]), columns=["activation", "bias_std", "weight_std"])
    return {
        "variance": variance,
        "phase": phase.assign(measured_growth=phase.predicted_growth + 0.02 * phase.seed - 0.01),
        "boundary": boundary.assign(passage=np.where(boundary.bias_std > 0, "edge", "jump")),
    }


@pytest.fixture(scope="module")
def tables():
    return made_up()


def test_fits_the_page_without_clipped_or_overlapping_text(tables):
    figure = mean_field(**tables)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    assert figure.get_figheight() < 6


def test_has_a_column_for_each_activation_in_the_order_of_the_labels(tables):
    figure = mean_field(**tables)
    assert [axes.get_title() for axes in figure.axes[:4]] == ["ReLU", "GELU", "tanh", "sigmoid"]


def test_lines_are_predictions_and_dots_the_mean_over_seeds_at_the_smallest_bias(tables):
    axes = mean_field(**tables).axes[0]
    lines, dots = axes.lines[::2], axes.lines[1::2]
    assert len(lines) == len(dots) == 4  # from the smallest to the largest sigma_w
    for weight_std, line, dot in zip([0.5, 1.5, 2.0, 3.0], lines, dots, strict=True):
        np.testing.assert_allclose(line.get_ydata(), weight_std ** (2.0 * line.get_xdata()))
        np.testing.assert_allclose(dot.get_ydata(), weight_std ** (2.0 * dot.get_xdata()))
    low, high = axes.get_ylim()
    assert 1 / FAR / 2 <= low < high <= FAR * 2


def test_growth_by_weights_has_predicted_lines_and_measured_dots_with_the_range_of_the_seeds(tables):
    axes = mean_field(**tables).axes[4]
    lines = [line for line in axes.lines if line.get_marker() == "None"][1:]  # the first is at 0
    measured = [line for line in axes.lines if line.get_marker() in ("o", "s")]  # the others are caps
    for line, dots, bar in zip(lines, measured, axes.collections, strict=True):
        np.testing.assert_allclose(line.get_ydata(orig=False), np.log(WEIGHTS))
        np.testing.assert_allclose(dots.get_ydata(orig=False), np.log(WEIGHTS))
        np.testing.assert_allclose([np.ptp(ends[:, 1]) for ends in bar.get_segments()], 0.02)
    assert len(axes.collections) == 2


def test_plane_shows_the_measured_growth_and_the_predicted_edge_apart_from_a_jump(tables):
    axes = mean_field(**tables).axes[8]
    (mesh,) = axes.collections
    np.testing.assert_allclose(mesh.get_array(), np.tile(np.log(WEIGHTS), (len(BIASES), 1)))
    edge, jump = axes.lines
    np.testing.assert_array_equal(edge.get_xdata(), [np.nan, 1.2, 1.2])
    np.testing.assert_array_equal(jump.get_xdata(), [1.2, np.nan, np.nan])
    assert edge.get_linestyle() != jump.get_linestyle()
    np.testing.assert_array_equal(edge.get_ydata(), BIASES)
    low, high = axes.get_xlim()
    assert low < min(WEIGHTS)
    assert high > max(WEIGHTS)


@pytest.mark.parametrize("changed", [{"activations": ["tanh"]}, {"weights": [1.5], "biases": [0.1]}, {"depth": 1}])
def test_the_smallest_grids_are_drawn(changed):
    check_every_text_is_inside_and_readable(mean_field(**made_up(**changed)))


def test_an_overflowed_gradient_and_a_missing_edge_leave_a_gap(tables):
    phase = tables["phase"].assign(measured_growth=np.nan)
    figure = mean_field(variance=tables["variance"], phase=phase, boundary=tables["boundary"].iloc[:0])
    assert np.ma.getmaskarray(figure.axes[8].collections[0].get_array()).all()
    assert not len(figure.axes[8].lines[0].get_xdata())
