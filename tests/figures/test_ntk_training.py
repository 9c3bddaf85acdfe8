"""The figure of training in the kernel regime: curves of the narrowest and the widest networks, and accuracies."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.kernel_regime.ntk_training import METHODS, ntk_training

STEPS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 200)


def made_up(activations=("relu", "erf"), widths=(32, 128, 512), seeds=3, steps=STEPS):
    """Losses that fall and distances that grow with the step; seed 1 lies midway between the others."""
    place = ["activation", "width", "seed", "step"]
    table = pd.DataFrame(product(activations, widths, range(seeds), steps), columns=place)
    loss = 0.09 * np.exp(-table.step / 100) * (1 + 0.1 * table.seed)
    curves = {"network_loss": loss, "linearized_loss": loss + 1 / table.width, "distance": table.step / table.width}
    scores = pd.DataFrame(product(METHODS, activations, range(seeds)), columns=["method", "activation", "seed"])
    accuracy = 0.7 + 0.02 * scores.seed + 0.01 * scores.method.map(list(METHODS).index)
    return {"linearized": table.assign(**curves), "regression": scores.assign(test_accuracy=accuracy, test_mse=0.04)}


@pytest.fixture(scope="module")
def tables():
    return made_up()


@pytest.fixture(scope="module")
def figure(tables):
    return ntk_training(**tables)


def test_fits_the_page_without_clipped_or_overlapping_text(figure):
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    assert figure.get_figheight() < 4


def test_curves_are_means_over_seeds_of_the_narrowest_and_the_widest(figure, tables):
    above, below = figure.axes[0], figure.axes[2]
    names = ["network, width 32", "linearization, width 32", "network, width 512", "linearization, width 512"]
    assert [line.get_label() for line in above.lines] == names
    relu = tables["linearized"][tables["linearized"].activation == "relu"]
    means = relu.groupby(["width", "step"])[["network_loss", "linearized_loss", "distance"]].mean()
    for line, (width, measure) in zip(above.lines, product((32, 512), means.columns[:2]), strict=True):
        np.testing.assert_allclose(line.get_ydata(), means.loc[width, measure])
    for line, width in zip(below.lines, (32, 512), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), STEPS[1:])  # at the start they are equal: no logarithm
        np.testing.assert_allclose(line.get_ydata(), means.loc[width, "distance"][1:])


def test_accuracies_are_means_in_percent_with_their_range(figure):
    axes = figure.axes[-1]
    assert axes.get_title() == "erf"
    assert [text.get_text() for text in axes.get_yticklabels()] == list(METHODS.values())
    spans, dots = axes.collections
    mean = 72 + np.arange(len(METHODS))
    np.testing.assert_allclose(dots.get_offsets()[:, 0], mean)
    np.testing.assert_allclose([segment[:, 0] for segment in spans.get_segments()], np.stack([mean - 2, mean + 2], 1))


@pytest.mark.parametrize("changed", [{"widths": (64,)}, {"seeds": 1}, {"activations": ("erf",)}, {"steps": (0, 1)}])
def test_the_smallest_tables_are_drawn(changed):
    check_every_text_is_inside_and_readable(ntk_training(**made_up(**changed)))
