"""The figure of BatchNorm's noise shows measured means beside both theories."""

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.batch_noise.draw import batch_noise

SCALES = {"normalized": 1.5, "mean": 1.0, "std": 0.5}


def noise(sizes=(2, 4, 8, 16, 32, 64, 128, 256, 512, 1024), seeds=5):
    """Table `noise`: theory a fixed number over m, measured around it."""
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {"batch_size": m, "seed": seed, "quantity": quantity, "measured": scale / m * random.uniform(0.9, 1.1)}
        | {"predicted": scale / m, "gaussian": 1.05 * scale / m}
        for m in sizes
        for seed in range(seeds)
        for quantity, scale in SCALES.items()
    )


@pytest.mark.parametrize("table", [noise(), noise(seeds=1), noise(sizes=[32]), noise(sizes=[3, 50, 700], seeds=2)])
def test_any_batch_sizes_and_seeds_fit_the_page(table):
    before = table.copy()
    figure = batch_noise(noise=table)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    pd.testing.assert_frame_equal(table, before)


def test_dots_are_means_with_t_intervals_and_lines_are_the_two_theories():
    table = noise()
    figure = batch_noise(noise=table)
    for axes, quantity in zip(figure.axes[:3], SCALES, strict=True):
        groups = table[table.quantity == quantity].groupby("batch_size")
        np.testing.assert_allclose(axes.lines[0].get_ydata(), groups.predicted.mean())
        np.testing.assert_allclose(axes.lines[1].get_ydata(), groups.gaussian.mean())
        dots, _, (bars,) = axes.containers[0]
        np.testing.assert_allclose(dots.get_ydata().astype(float), groups.measured.mean())
        lengths = [high - low for (_, low), (_, high) in bars.get_segments()]
        np.testing.assert_allclose(lengths, groups.measured.max() - groups.measured.min())


def test_below_is_each_by_the_theory_with_the_datas_moments():
    figure = batch_noise(noise=noise())
    for axes in figure.axes[3:]:
        np.testing.assert_allclose(axes.lines[0].get_ydata(), 1)
        np.testing.assert_allclose(axes.lines[1].get_ydata(), 1.05)
        assert np.all(np.abs(axes.containers[0][0].get_ydata() - 1) < 0.1)
