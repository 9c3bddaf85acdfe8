"""The figure of filters and maps shows the tables' numbers, for any networks and for images in colour."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable

from phase2.probe.feature_hierarchy.first_filters import first_filters

DESK = {"lenet": (6, 5), "vgg": (16, 3), "cifar_resnet": (16, 3)}


def long(values, first):
    """(n, channels, rows, columns) as rows; the first is number `first`."""
    indices = np.indices(values.shape).reshape(4, -1)
    table = pd.DataFrame(dict(zip(["filter", "channel", "row", "column"], indices, strict=True)))
    return table.assign(filter=table["filter"] + first, value=values.ravel())


def made_up(networks=DESK, channels=1, side=12, axis="model"):
    random = np.random.default_rng(0)
    filters, maps = [], []
    for name, (count, kernel) in networks.items():
        shown = min(count, 16)
        axes = {axis: name, "seed": 0} if axis else {"seed": 0}
        seen = [
            long(random.normal(size=(1, channels, side, side)), 0),
            long(random.normal(size=(shown, 1, side - 1, side - 1)).clip(0), 1),
        ]
        for tables, table in (
            (filters, long(random.normal(size=(count, channels, kernel, kernel)), 1)),
            (maps, pd.concat(seen)),
        ):
            tables.append(table.assign(**axes)[[*axes, *table.columns]])
    return {"filters": pd.concat(filters, ignore_index=True), "maps": pd.concat(maps, ignore_index=True)}


@pytest.mark.parametrize(
    "tables",
    [
        made_up(),
        made_up(channels=3),
        made_up({"": (1, 3)}, axis=None),
        made_up({depth: (64, 3) for depth in (8, 14, 20, 26, 32, 38, 44, 50)}, axis="depth"),
    ],
    ids=["desk", "colour", "one filter", "many networks"],
)
def test_any_networks_fit_the_page(tables):
    before = {name: table.copy() for name, table in tables.items()}
    figure = first_filters(**tables)
    check_every_text_is_inside_and_readable(figure)
    assert figure.get_figheight() <= 8.6
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_a_block_has_the_image_its_maps_and_the_filters_that_made_them():
    tables = made_up()
    figure = first_filters(**tables)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["LeNet-5", "VGG", "ResNet"]
    assert [len(axes.images) for axes in figure.axes] == [1 + 2 * 6, 1 + 2 * 16, 1 + 2 * 16]
    filters, maps = (table[table.model == "lenet"] for table in tables.values())
    image, first_map, first_filter = (drawn.get_array() for drawn in figure.axes[0].images[:3])
    np.testing.assert_allclose(image.ravel(), maps[maps["filter"] == 0].value)
    np.testing.assert_allclose(first_map.ravel(), maps[maps["filter"] == 1].value)
    weights = filters[filters["filter"] == 1].value
    np.testing.assert_allclose(first_filter.ravel(), weights / weights.abs().max())


def test_a_filter_is_above_its_map_and_tiles_do_not_overlap():
    axes = first_filters(**made_up()).axes[1]
    places = sorted(tuple(drawn.get_extent()) for drawn in axes.images)
    lefts = {(left, right) for left, right, *_ in places}
    assert len(lefts) == 17
    assert sum(bottom == 1 for _, _, bottom, _ in places) == 16  # the upper row
    ordered = sorted(lefts)
    assert all(one[1] < other[0] for one, other in pairwise(ordered))


def test_colours_of_three_channels_are_around_grey_and_a_dead_map_is_blank():
    tables = made_up(channels=3)
    tables["maps"].loc[tables["maps"]["filter"] == 1, "value"] = 0.0
    image, dead, weights = (drawn.get_array() for drawn in first_filters(**tables).axes[0].images[:3])
    assert image.shape[2] == weights.shape[2] == 3
    assert 0 <= image.min() < image.max() <= 1
    assert max(abs(weights.min() - 0.5), abs(weights.max() - 0.5)) == pytest.approx(0.5)
    assert not dead.any()
