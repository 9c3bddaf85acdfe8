"""The figure of the spectrum shows means over seeds with their range, before and after, and the mean eigenvalue."""

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.edge_of_stability.hessian_spectrum import hessian_spectrum

RATES = (0.02, 0.04, 0.08)


def made_up(rates=RATES, seeds=3, ranks=20, times=("before", "after")):
    rows = []
    for lr in rates:
        for seed in range(seeds):
            for when in times:
                scale = (1 + seed) * (2 if when == "after" else 1)
                rows += [(lr, seed, when, "eigenvalue", r, scale * 50 / r) for r in range(1, ranks + 1)]
                rows += [(lr, seed, when, "trace", 0, scale * 200), (lr, seed, when, "parameters", 0, 10_000)]
    return pd.DataFrame(rows, columns=["lr", "seed", "when", "quantity", "rank", "value"])


@pytest.mark.parametrize(
    "spectrum",
    [
        made_up(),
        made_up(rates=[0.1], seeds=1, ranks=1),
        made_up(times=["before"]),
        made_up().assign(value=lambda table: table.value - 2),  # some eigenvalues negative
    ],
)
def test_any_spectrum_fits_the_page(spectrum):
    before = spectrum.copy()
    figure = hessian_spectrum(spectrum=spectrum)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    pd.testing.assert_frame_equal(spectrum, before)


def test_dots_are_means_over_seeds_bars_their_range_and_the_line_the_mean_of_all_eigenvalues():
    figure = hessian_spectrum(spectrum=made_up())
    assert [axes.get_title() for axes in figure.axes] == ["rate 0.02", "rate 0.04", "rate 0.08"]
    for axes in figure.axes:
        for (dots, _, (bars,)), scale in zip(axes.containers, (1, 2), strict=True):
            ranks = np.arange(1, 21)
            np.testing.assert_allclose(np.asarray(dots.get_ydata(), float), scale * 2 * 50 / ranks)
            spans = np.asarray([(segment[0, 1], segment[1, 1]) for segment in bars.get_segments()], float)
            np.testing.assert_allclose(spans, np.stack([scale * 50 / ranks, scale * 3 * 50 / ranks], axis=1))
        levels = [line.get_ydata()[0] for line in axes.lines if str(line.get_label()).startswith("mean of all")]
        np.testing.assert_allclose(levels, [0.04, 0.08])


def test_a_rate_that_diverged_shows_the_spectrum_before():
    spectrum = made_up()
    figure = hessian_spectrum(spectrum=spectrum[(spectrum.lr != 0.08) | (spectrum.when == "before")])
    assert [len(axes.containers) for axes in figure.axes] == [2, 2, 1]
