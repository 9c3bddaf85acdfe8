"""The figure of linear probes shows means over seeds with their range, by layer, for any networks."""

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.feature_hierarchy.linear_probes import linear_probes

pytestmark = pytest.mark.quick

DESK = {"lenet": 4, "vgg": 8, "cifar_resnet": 7}


def made_up(networks=DESK, seeds=3, axis="model"):
    rows = []
    for name, layers in networks.items():
        for seed in range(seeds):
            for layer in range(layers + 1):
                for when, slope in {"start": -0.02, "end": 0.01}.items():
                    accuracy = 0.8 + slope * layer + 0.005 * seed * (layer > 0)
                    rows.append((name, seed, when, layer, layer / layers, 100, accuracy))
    columns = [axis or "unnamed", "seed", "when", "layer", "position", "dimension", "accuracy"]
    return pd.DataFrame(rows, columns=columns)[columns if axis else columns[1:]]


@pytest.mark.parametrize(
    "table",
    [
        made_up(),
        made_up({"": 1}, seeds=1, axis=None),
        made_up({depth: depth - 1 for depth in (8, 14, 20, 32, 44, 56)}, axis="depth"),
    ],
    ids=["desk", "one layer", "deep"],
)
def test_any_networks_fit_the_page(table):
    before = table.copy()
    figure = linear_probes(linear_probes=table)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    pd.testing.assert_frame_equal(table, before)


def test_dots_are_means_over_seeds_in_percent_and_bars_their_range():
    table = made_up()
    figure = linear_probes(linear_probes=table)
    assert [axes.get_title() for axes in figure.axes] == ["LeNet-5", "VGG", "ResNet"]
    vgg = table[table.model == "vgg"]
    for (dots, _, (bars,)), when in zip(figure.axes[1].containers, ("end", "start"), strict=True):
        by_layer = vgg[vgg.when == when].groupby("layer").accuracy
        np.testing.assert_allclose(np.asarray(dots.get_xdata(), float), range(9))
        np.testing.assert_allclose(np.asarray(dots.get_ydata(), float), 100 * by_layer.mean())
        spans = np.asarray([(segment[0, 1], segment[1, 1]) for segment in bars.get_segments()], float)
        np.testing.assert_allclose(spans, np.stack([100 * by_layer.min(), 100 * by_layer.max()], axis=1))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["after training", "before training"]
