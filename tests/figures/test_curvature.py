"""The figure of curvature shows geometric means over seeds with their range, a line for each setting."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.errors import UserError
from phase2.probe.curvature.draw import curvature

SIZES = (16, 64, 256, 1024)


def made_up(sizes=SIZES, rates=(0.02, 0.05, 0.1), seeds=3):
    """Powers of the batch size; a seed is a factor of two."""
    rows = []
    for size, lr, seed in product(sizes, rates, range(seeds)):
        values = {"sharpness": size**0.5 / lr, "trace": 5 * size**0.5 / lr, "noise_scale": 10.0 * size}
        rows.append(
            {"batch_size": size, "lr": lr, "seed": seed} | {k: v * 2.0 ** (seed - 1) for k, v in values.items()}
        )
    columns = ["sharpness", "trace", "trace_error", "gradient_norm", "noise_scale", "loss"]
    table = pd.DataFrame(rows).assign(trace_error=1.0, gradient_norm=1.0, loss=0.3)
    return table[["batch_size", "lr", "seed", *columns]]


@pytest.mark.parametrize(
    "table",
    [
        made_up(),
        made_up(sizes=[32], rates=[0.1], seeds=1),
        made_up(sizes=[2**k for k in range(3, 11)]),
        made_up().drop(columns="lr"),
        made_up().assign(noise_scale=np.nan),
    ],
)
def test_any_study_with_batch_sizes_fits_the_page(table):
    before = table.copy()
    figure = curvature(curvature=table)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    pd.testing.assert_frame_equal(table, before)


def test_lines_are_geometric_means_over_seeds_and_bars_their_range():
    figure = curvature(curvature=made_up())
    for axes, scale in zip(figure.axes[:2], (1, 5), strict=True):
        for (dots, _, (bars,)), lr in zip(axes.containers, (0.02, 0.05, 0.1), strict=True):
            expected = scale * np.sqrt(SIZES) / lr
            np.testing.assert_allclose(np.asarray(dots.get_ydata(), float), expected)
            spans = np.asarray([(segment[0, 1], segment[1, 1]) for segment in bars.get_segments()], float)
            np.testing.assert_allclose(spans, np.stack([expected / 2, expected * 2], axis=1))
            np.testing.assert_allclose(np.asarray(dots.get_xdata(), float), SIZES, rtol=0.1)


def test_each_line_is_named_by_its_rate():
    (legend,) = curvature(curvature=made_up()).legends
    assert [text.get_text() for text in legend.get_texts()] == [f"learning rate {lr}" for lr in (0.02, 0.05, 0.1)]


def test_a_network_without_a_noise_scale_is_left_out():
    table = made_up()
    table.loc[(table.batch_size == 64) & (table.seed == 2), "noise_scale"] = np.nan
    dots = curvature(curvature=table).axes[2].containers[0][0]
    np.testing.assert_allclose(np.asarray(dots.get_ydata(), float), [160, 640 / np.sqrt(2), 2560, 10240])


def test_a_study_without_batch_sizes_is_an_error_that_names_its_factors():
    with pytest.raises(UserError, match="factors are lr, expected batch_size"):
        curvature(curvature=made_up().drop(columns="batch_size"))
