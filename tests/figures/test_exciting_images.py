"""The figure of exciting images shows the tables' images with their excitations, for any networks."""

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable

from phase2.probe.feature_hierarchy.exciting_images import exciting_images

DESK = {"lenet": (1, 2), "vgg": (1, 4, 8), "cifar_resnet": (1, 4, 7)}


def made_up(networks=DESK, channels=1, side=9, axis="model"):
    random, tables = np.random.default_rng(0), []
    for name, layers in networks.items():
        axes = {axis: name, "seed": 0} if axis else {"seed": 0}
        for layer in layers:
            for kind, excitation in {"test": 2.5, "ascent": 3.0 + layer}.items():
                indices = np.indices((channels, side, side)).reshape(3, -1)
                row = axes | {"layer": layer, "unit": 1, "kind": kind, "excitation": excitation}
                table = pd.DataFrame(dict(zip(["channel", "row", "column"], indices, strict=True)))
                table = table.assign(value=random.normal(size=len(table)), **row)
                tables.append(table[[*row, "channel", "row", "column", "value"]])
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize(
    "exciting",
    [
        made_up(),
        made_up(channels=3),
        made_up({"": (1,)}, axis=None),
        made_up({depth: (1, 4, 7) for depth in (8, 14, 20, 26, 32, 38, 44, 50)}, axis="depth"),
        made_up().assign(value=1.0),
    ],
    ids=["desk", "colour", "one layer", "many networks", "flat"],
)
def test_any_networks_fit_the_page(exciting):
    before = exciting.copy()
    figure = exciting_images(exciting=exciting)
    check_every_text_is_inside_and_readable(figure)
    assert figure.get_figheight() <= 8.5
    pd.testing.assert_frame_equal(exciting, before)


def test_images_are_the_tables_from_their_least_value_to_their_largest():
    exciting = made_up()
    figure = exciting_images(exciting=exciting)
    drawn = [axes for axes in figure.axes if axes.images]
    titles = [f"layer {n}: {words}" for layers in DESK.values() for n in layers for words in ("test image", "ascent")]
    assert [axes.get_title() for axes in drawn] == titles
    for axes, (_, rows) in zip(drawn, exciting.groupby(["model", "layer", "kind"], sort=False), strict=True):
        values = rows.value.to_numpy().reshape(9, 9)
        np.testing.assert_allclose(axes.images[0].get_array(), (values - values.min()) / np.ptp(values))
        assert f"{rows.excitation.iloc[0]:.1f} SD" in [text.get_text() for text in axes.texts]


def test_networks_are_named_and_colours_stay():
    figure = exciting_images(exciting=made_up(channels=3))
    names = [text.get_text() for axes in figure.axes for text in axes.texts if "SD" not in text.get_text()]
    assert names == ["LeNet-5", "VGG", "ResNet"]
    assert figure.axes[0].images[0].get_array().shape == (9, 9, 3)
