"""The figure of gradients: a row an architecture, a column a moment, geometric means over seeds."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import gmean
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap
from test_layer_responses import DESK, FULL, made_up

from phase2.probe.layer_responses.gradient_by_depth import TITLES, gradient_by_depth


@pytest.mark.parametrize(("axes", "seeds"), [(FULL, 2), (DESK, 1), ({"model": ["plain"], "depth": [8]}, 2)])
def test_any_depths_fit_the_page(axes, seeds):
    table = made_up(axes, seeds)
    before = table.copy()
    figure = gradient_by_depth(responses=table)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    pd.testing.assert_frame_equal(table, before)


def test_lines_are_geometric_means_over_seeds_and_shades_their_range():
    table = made_up(DESK)
    figure = gradient_by_depth(responses=table)
    panels = iter(figure.axes)
    for model in ("plain", "cifar_resnet"):
        for when in TITLES:
            axes = next(panels)
            for index, depth in enumerate(DESK["depth"]):
                here = table[(table.model == model) & (table.when == when) & (table.depth == depth)]
                norms = here.pivot(index="layer", columns="seed", values="gradient_norm")
                np.testing.assert_allclose(axes.lines[index].get_xydata(), np.c_[norms.index, gmean(norms, axis=1)])
                heights = axes.collections[index].get_paths()[0].vertices[:, 1]
                assert (heights.min(), heights.max()) == pytest.approx((norms.min().min(), norms.max().max()))
    assert figure.axes[0].get_yscale() == "log"
    assert [axes.get_title() for axes in figure.axes[:3]] == list(TITLES.values())
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["depth 8", "depth 20"]


def test_a_layer_without_a_gradient_is_a_gap():
    table = made_up(DESK, seeds=1)
    dead = (table.model == "plain") & (table.depth == 8) & (table.layer == 3) & (table.when == "start")
    table.loc[dead, "gradient_norm"] = 0.0
    heights = gradient_by_depth(responses=table).axes[0].lines[0].get_ydata()
    assert np.isnan(heights).tolist() == [layer == 3 for layer in range(1, 8)]
