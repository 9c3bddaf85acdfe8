"""The table of every activation's shape, and the figure that shows it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.text import Text

from phase2 import registry
from phase2.errors import UserError
from phase2.nn.activation import gelu, mish, relu, softplus, tanh
from phase2.probe.activation_shapes import measure as probe
from phase2.probe.activation_shapes.draw import COLUMNS, activation_shapes
from phase2.words.levels import label

NAMES = registry.names("activation")


def options(activations=NAMES, low=-4.0, high=4.0, points=801):
    return SimpleNamespace(activations=activations, low=low, high=high, points=points)


@pytest.fixture(scope="module")
def tables():
    return probe.measure(options())


def test_a_row_for_each_activation_and_point(tables):
    shapes = tables["shapes"]
    assert list(shapes.columns) == ["activation", "x", "value", "first", "second"]
    assert shapes.activation.value_counts(sort=False).to_dict() == dict.fromkeys(NAMES, 801)
    assert (shapes.x.min(), shapes.x.max()) == (-4, 4)
    assert not shapes.isna().any(axis=None)


@pytest.mark.parametrize(
    "module", [relu, gelu, mish, tanh, softplus], ids=lambda module: module.__name__.split(".")[-1]
)
def test_shapes_are_the_written_formulas(tables, module):
    shape = tables["shapes"][tables["shapes"].activation == module.__name__.split(".")[-1]]
    for column, part in zip(COLUMNS, module.FORMULAS.at(torch.tensor(shape.x.to_numpy())), strict=True):
        np.testing.assert_allclose(shape[column], part, rtol=1e-12, atol=1e-12)


def test_extremes_are_the_known_ones(tables):
    extremes = tables["extremes"].set_index("activation")
    assert list(extremes.index) == NAMES
    assert extremes.minimum["gelu"] == pytest.approx(-0.17, abs=1e-3)
    assert extremes.argmin["silu"] == pytest.approx(-1.28, abs=0.01)
    assert extremes.max_slope["sigmoid"] == 0.25
    assert extremes.max_curvature["tanh"] == pytest.approx(4 / (3 * np.sqrt(3)), abs=1e-4)
    assert extremes.max_curvature["gelu"] == pytest.approx(2 / np.sqrt(2 * np.pi))
    assert extremes.max_slope["relu"] == 1


@pytest.mark.parametrize("wrong", [{"low": 1.0, "high": 1.0}, {"points": 1}])
def test_an_empty_grid_is_named(wrong):
    with pytest.raises(UserError, match="expected low < high and at least 2 points"):
        probe.measure(options(**wrong))


@pytest.mark.parametrize("count", [1, 2, 5, len(NAMES)])
def test_each_panel_shows_its_activations_three_lines(tables, count):
    shapes = tables["shapes"][tables["shapes"].activation.isin(NAMES[:count])]
    figure = activation_shapes(shapes=shapes)
    assert {axes.get_title() for axes in figure.axes} == {label(name) for name in NAMES[:count]}
    for axes in figure.axes:
        shape = shapes[shapes.activation.map(label) == axes.get_title()]
        for line, column in zip(axes.lines, COLUMNS, strict=True):
            np.testing.assert_array_equal(line.get_xydata(), shape[["x", column]])


def test_the_lowest_panel_of_each_column_has_the_scale(tables):
    shapes = tables["shapes"][tables["shapes"].activation.isin(NAMES[:7])]
    figure = activation_shapes(shapes=shapes)
    figure.draw_without_rendering()
    shown = [axes.xaxis.get_major_ticks()[0].label1.get_visible() for axes in figure.axes]
    assert shown == [False, False, True, True, True, True, True]


def test_fourteen_panels_fit_the_page_with_readable_text(tables):
    relu = tables["shapes"][tables["shapes"].activation == "relu"]
    figure = activation_shapes(shapes=pd.concat([relu.assign(activation=f"activation {n}") for n in range(14)]))
    assert len(figure.axes) == 14
    assert figure.get_figheight() <= 6.5
    figure.draw_without_rendering()
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 7
