"""The figure of losses along lines: means over seeds with their range, above along lines, below between solutions."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.landscape.landscape_lines import MARGIN, SHOWN, landscape_lines

DESK = {"norm": ["none", "batch", "layer"], "depth": [2, 20]}


def made_up(axes, seeds=3, points=9):
    """Parabolas along lines, higher by seed; arches between solutions."""
    nets = list(product(*axes.values()))
    lines = [
        (*net, seed, x, 0.5 + 0.1 * seed + (index + 1) * x**2, 0.8)
        for (index, net), seed, x in product(enumerate(nets), range(seeds), np.linspace(-1, 1, points))
    ]
    ways = [
        (*net, seed, seed + 1, x, 0.5 + 0.1 * seed + (index + 1) * x * (1 - x), 0.8)
        for (index, net), seed, x in product(enumerate(nets), range(seeds - 1), np.linspace(0, 1, points))
    ]
    return {
        "lines": pd.DataFrame(lines, columns=[*axes, "seed", "distance", "loss", "accuracy"]),
        "interpolation": pd.DataFrame(ways, columns=[*axes, "seed", "to_seed", "position", "loss", "accuracy"]),
    }


@pytest.mark.parametrize(
    ("axes", "seeds"),
    [
        (DESK, 3),
        (DESK, 1),
        ({}, 2),
        ({"depth": [2]}, 1),
        ({"norm": ["none", "batch", "layer", "rms"], "depth": [2, 10, 30, 50]}, 5),
    ],
)
def test_any_grid_of_networks_fits_the_page(axes, seeds):
    tables = made_up(axes, seeds)
    before = {name: table.copy() for name, table in tables.items()}
    figure = landscape_lines(**tables)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_lines_are_means_over_seeds_and_shades_their_range():
    tables = made_up(DESK)
    figure = landscape_lines(**tables)
    assert [axes.get_title() for axes in figure.axes[:2]] == ["depth 2", "depth 20"]
    for row, name, position in ((0, "lines", "distance"), (1, "interpolation", "position")):
        for (column, depth), (index, norm) in product(enumerate(DESK["depth"]), enumerate(DESK["norm"])):
            axes, table = figure.axes[2 * row + column], tables[name]
            losses = table[(table.depth == depth) & (table.norm == norm)].groupby(position).loss
            np.testing.assert_allclose(axes.lines[index].get_xdata(), losses.mean().index)
            np.testing.assert_allclose(axes.lines[index].get_ydata(), losses.mean())
            heights = axes.collections[index].get_paths()[0].vertices[:, 1]
            assert (heights.min(), heights.max()) == pytest.approx((losses.min().min(), losses.max().max()))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["none", "BatchNorm", "LayerNorm"]


def test_a_few_losses_far_above_the_others_leave_the_frame_and_infinite_ones_are_gaps():
    tables = made_up(DESK)
    lines = tables["lines"]
    lines.loc[lines.index[::30], "loss"] = 1e6
    lines.loc[lines.distance == -1, "loss"] = np.inf
    known = lines.loss[np.isfinite(lines.loss)]
    axes = landscape_lines(**tables).axes[0]
    assert axes.get_ylim()[1] < 100
    np.testing.assert_allclose(axes.get_ylim(), (0.5 / MARGIN, known.quantile(SHOWN) * MARGIN))
    assert np.isnan(axes.lines[0].get_ydata()[0])


def test_a_single_seed_has_no_pairs_and_the_figure_says_so():
    figure = landscape_lines(**made_up(DESK, seeds=1))
    assert [text.get_text() for text in figure.axes[2].texts] == ["one seed: no pairs"]
    assert not figure.axes[0].texts
