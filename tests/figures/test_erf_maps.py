"""The maps of effective fields: a column a network, before training above after, frame and ellipse where they are."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.receptive_field.erf_maps import erf_maps

SIDE = 9


def made_up(axes, seeds=(0, 1), side=SIDE):
    """Bumps, the n-th network's with a peak of n; the first seed's spread is half of the second's."""
    fields, maps = [], []
    for n, (*levels, seed, when) in enumerate(product(*axes.values(), seeds, ("start", "trained")), start=1):
        sigma = 1.0 + seed
        fields.append((*levels, seed, when, 6, 1, 4.0, 5.0, sigma, 2 * sigma, 2**0.5 * sigma, 0.4))
        if seed == seeds[0]:
            maps += [
                (*levels, seed, when, *at, n * np.exp(-((at[0] - 4) ** 2))) for at in product(range(side), repeat=2)
            ]
    names = [*axes, "seed", "when"]
    spread = ["row", "column", "sigma_row", "sigma_column", "sigma", "share"]
    return {
        "fields": pd.DataFrame(fields, columns=[*names, "field", "start", *spread]),
        "maps": pd.DataFrame(maps, columns=[*names, "row", "column", "value"]),
    }


FAMILIES = {"model": ["lenet", "vgg", "cifar_resnet"]}


@pytest.mark.parametrize(
    "axes",
    [
        FAMILIES,
        {},
        {"depth": [8]},
        {"model": ["plain", "cifar_resnet"], "depth": [8, 20]},
        {"model": ["plain", "cifar_resnet"], "depth": [8, 14, 20, 32], "norm": ["batch"]},
        {"norm": ["none", "batch", "layer"], "activation": ["relu", "tanh", "gelu"]},
    ],
)
def test_any_grid_of_networks_fits_the_page(axes):
    tables = made_up(axes)
    before = {name: table.copy() for name, table in tables.items()}
    figure = erf_maps(**tables)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    assert figure.get_figheight() <= 8.5
    assert len(figure.axes) == 2 * max(1, np.prod([len(levels) for levels in axes.values()])) + 1
    for name, table in before.items():
        pd.testing.assert_frame_equal(table, tables[name])


def test_a_column_is_a_network_before_training_above_after():
    *panels, bar = erf_maps(**made_up(FAMILIES)).axes
    assert [axes.get_title() for axes in panels] == ["LeNet-5", "VGG", "ResNet", "", "", ""]
    assert [axes.get_ylabel() for axes in panels] == ["before training", "", "", "trained", "", ""]
    assert bar.get_ylabel() == "mean squared gradient / its peak"


def test_maps_are_scaled_to_their_peaks_on_one_scale():
    *panels, _ = erf_maps(**made_up(FAMILIES)).axes
    for axes in panels:
        (image,) = axes.images
        np.testing.assert_allclose(image.get_array()[:, 3], np.exp(-((np.arange(SIDE) - 4.0) ** 2)))
        assert image.get_clim() == (0, 1)


def test_the_frame_is_the_theoretical_field_and_the_ellipse_the_gaussian_of_the_first_seed():
    axes = erf_maps(**made_up(FAMILIES)).axes[0]
    frame, ellipse = axes.patches
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((0.5, 0.5), 6, 6)  # pixels 1 to 6
    assert ellipse.get_center() == (5.0, 4.0)  # column, row
    assert (ellipse.get_width(), ellipse.get_height()) == (4 * 2.0, 4 * 1.0)
    assert axes.get_xlabel() == f"field 6, image {SIDE}\nσ 1.4, share 40%"
    assert axes.get_xlim() == (-0.5, SIDE - 0.5)  # a field beyond the image does not widen it
