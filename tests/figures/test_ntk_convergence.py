"""The figure of the kernels' convergence shows geometric means with their range, and the theory's slopes."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.kernel_regime.ntk_convergence import ntk_convergence

pytestmark = pytest.mark.quick

WIDTHS = (32, 64, 128, 256, 512)


def made_up(activations=("relu", "erf"), widths=WIDTHS, seeds=3):
    """Kernels at 2 / √width and 3 / √width, a drift of 4 / width; each times a half, one and two for the seeds."""
    table = pd.DataFrame(product(activations, widths, range(seeds)), columns=["activation", "width", "seed"])
    factor = 2.0 ** (table.seed - seeds // 2)
    errors = {"ntk_error": 2 * factor / table.width**0.5, "nngp_error": 3 * factor / table.width**0.5}
    return {"convergence": table.assign(**errors), "drift": table.assign(drift=4 * factor / table.width)}


@pytest.fixture(scope="module")
def figure():
    return ntk_convergence(**made_up())


def test_fits_the_page_without_clipped_or_overlapping_text(figure):
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)


def test_lines_are_geometric_means_over_seeds_and_bars_their_range(figure):
    widths = np.array(WIDTHS, float)
    for axes, mean in zip(figure.axes, (2 / widths**0.5, 3 / widths**0.5, 4 / widths), strict=True):
        assert len(axes.containers) == 2
        for line, _, (bars,) in axes.containers:
            np.testing.assert_allclose(np.asarray(line.get_xdata(), float), widths)
            np.testing.assert_allclose(np.asarray(line.get_ydata(), float), mean)
            spans = [(segment[0, 1], segment[1, 1]) for segment in bars.get_segments()]
            np.testing.assert_allclose(np.asarray(spans, float), np.stack([mean / 2, mean * 2], axis=1))


def test_guides_have_the_slopes_of_the_theory_and_lie_below_all_points(figure):
    for axes, slope, text in zip(figure.axes, (-0.5, -0.5, -1.0), ("−1/2", "−1/2", "−1"), strict=True):
        guide = axes.lines[-1]
        x, y = (np.asarray(values, float) for values in guide.get_data())
        np.testing.assert_allclose(np.diff(np.log(y)) / np.diff(np.log(x)), slope)
        lowest = np.min([bars.get_segments()[0][0, 1] for _, _, (bars,) in axes.containers])
        assert y[0] < lowest
        assert [note.get_text() for note in axes.texts] == [f"slope {text}"]


@pytest.mark.parametrize("changed", [{"widths": (64,)}, {"seeds": 1}, {"activations": ("erf",)}])
def test_the_smallest_tables_are_drawn(changed):
    check_every_text_is_inside_and_readable(ntk_convergence(**made_up(**changed)))
