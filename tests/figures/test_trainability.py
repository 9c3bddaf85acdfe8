"""The map of what trains: a cell a depth and size of weights, failures as such, and theory's line where it says."""

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable

from phase2.probe.trainability.draw import LIMIT, trainability


def made_up(activations=("relu", "tanh"), stds=(0.5, 0.7, 1.0, 1.4, 2.0, 2.8), depths=(2, 4, 8, 16, 32), seeds=2):
    index = pd.MultiIndex.from_product(
        [activations, stds, depths, range(seeds)], names=["activation", "weight_std", "depth", "seed"]
    )
    table = pd.DataFrame({"accuracy": 0.8}, index=index).reset_index()
    curve = np.geomspace(stds[0], stds[-1], 30)
    scales = 1 / np.abs(np.log(curve**2 / 2) + 1e-9)
    theory = [pd.DataFrame({"activation": a, "weight_std": curve, "depth_scale": scales}) for a in activations]
    return {"trained": table, "theory": pd.concat(theory)}


@pytest.mark.parametrize("activations", [["relu"], ["relu", "tanh", "gelu", "silu"]])
def test_fits_the_page_without_clipped_text(activations):
    figure = trainability(**made_up(activations))
    check_every_text_is_inside_and_readable(figure)
    assert len(figure.axes) == len(activations) + 1


def test_a_network_that_failed_is_marked_and_not_averaged():
    tables = made_up()
    table = tables["trained"]
    table.loc[(table.depth == 32) & (table.weight_std == 2.8), "accuracy"] = np.nan
    table.loc[(table.depth == 16) & (table.weight_std == 2.8) & (table.seed == 0), "accuracy"] = np.nan
    figure = trainability(**tables)
    assert "× all seeds failed" in [text.get_text() for text in figure.legends[0].texts]
    numbers = {text.get_text() for text in figure.axes[0].texts}
    assert numbers == {"80"}


def test_the_line_passes_between_the_depths_that_it_tells_apart():
    line = next(line for line in trainability(**made_up()).axes[0].lines if line.get_color() == LIMIT)
    x, y = line.get_data()
    at_half = y[0]  # sigma_w of 0.5: 6 / log 8 = 2.9 layers, between the first row, of 2, and the second, of 4
    assert x[0] == 0
    assert 0 < at_half < 1
    assert y.max() > 4  # at the edge it is beyond the deepest
