"""The figure of responses: means over seeds by layer and sorted, a colour a depth and dashes an architecture."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.layer_responses.draw import layer_responses

pytestmark = pytest.mark.quick

FULL = {"model": ["cifar_resnet", "plain"], "depth": [20, 32, 44, 56, 110]}
DESK = {"model": ["cifar_resnet", "plain"], "depth": [8, 20]}


def made_up(axes, seeds=3):
    values = []
    for (number, levels), seed in product(enumerate(product(*axes.values())), range(seeds)):
        draw = np.random.default_rng([number, seed])
        depth = dict(zip(axes, levels, strict=True))["depth"]
        for when, layer in product(("start", "middle", "end"), range(1, depth)):
            values.append((*levels, seed, when, layer, draw.uniform(0.5, 2.0), 10 ** draw.normal(), 3.0))
    return pd.DataFrame(values, columns=[*axes, "seed", "when", "layer", "std", "gradient_norm", "weight_norm"])


@pytest.mark.parametrize(
    ("axes", "seeds"), [(FULL, 2), (DESK, 1), ({"model": ["plain"], "depth": [8], "lr": [0.1, 0.2]}, 2)]
)
def test_any_depths_fit_the_page(axes, seeds):
    table = made_up(axes, seeds)
    before = table.copy()
    figure = layer_responses(responses=table)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    pd.testing.assert_frame_equal(table, before)


def test_lines_are_means_over_seeds_after_training_and_shades_their_range():
    table = made_up(DESK)
    left, right = layer_responses(responses=table).axes
    trained = table[table.when == "end"]
    order = [(model, depth) for model in ("cifar_resnet", "plain") for depth in (8, 20)]
    for index, (model, depth) in enumerate(order):
        one = trained[(trained.model == model) & (trained.depth == depth)].pivot(
            index="layer", columns="seed", values="std"
        )
        np.testing.assert_allclose(left.lines[index].get_xydata(), np.c_[one.index, one.mean(axis=1)])
        largest_first = -np.sort(-one.to_numpy(), axis=0)
        np.testing.assert_allclose(right.lines[index].get_ydata(), largest_first.mean(axis=1))
        heights = right.collections[index].get_paths()[0].vertices[:, 1]
        assert (heights.min(), heights.max()) == pytest.approx((largest_first.min(), largest_first.max()))


def test_dashes_tell_the_architecture_and_colours_and_markers_the_depth():
    figure = layer_responses(responses=made_up(DESK))
    residual, _, plain, _ = figure.axes[0].lines
    assert (residual.get_linestyle(), plain.get_linestyle()) == ("-", "--")
    assert residual.get_color() == plain.get_color()
    assert len({line.get_color() for line in figure.axes[0].lines}) == 2
    assert len({line.get_marker() for line in figure.axes[0].lines}) == 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["depth 8", "depth 20", "ResNet", "plain"]
