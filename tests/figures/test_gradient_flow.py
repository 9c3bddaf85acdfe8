"""The figures of signals at initialization show the tables' numbers, at any depth, with gaps where there are none."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.gradient_flow.activation_histograms import activation_histograms
from phase2.probe.gradient_flow.draw import LEAST, gradient_flow

ACTIVATIONS = ["relu", "gelu", "tanh", "sigmoid"]
INITS = {"xavier": -0.2, "kaiming": 0.0, "lsuv": 0.01, "normal_small": -1.2, "normal_large": 0.75}


def signals(depth=10, activations=ACTIVATIONS, inits=INITS, seeds=3):
    """Table `layers`: each init multiplies std and gradient by a power of ten a layer."""
    random, rows = np.random.default_rng(0), []
    for activation, init, seed in product(activations, inits, range(seeds)):
        wobble = 0.1 * random.standard_normal()
        for layer in range(1, depth + 1):
            std, gradient = inits[init] * layer + wobble, inits[init] * (depth - layer) + wobble
            row = {"activation": activation, "init": init, "seed": seed, "layer": layer, "activation_mean": 0.1}
            row |= {"activation_std": 10.0**std, "saturated": 0.5, "dead": 0.0, "gradient_norm": 10.0**gradient}
            rows.append(row | {"weight_gradient_norm": 10.0**gradient})
    return pd.DataFrame(rows)


def shapes(activations=ACTIVATIONS, inits=INITS, layers=(1, 3, 6, 8, 10)):
    """Table `histograms`: a bell for each layer."""
    edges, tables = np.linspace(-4, 4, 81), []
    middle = (edges[1:] + edges[:-1]) / 2
    for activation, init, layer, kind in product(activations, inits, layers, ["activation", "gradient"]):
        names = {"activation": activation, "init": init, "layer": layer, "kind": kind}
        bins = {"bin_left": edges[:-1], "bin_right": edges[1:], "density": np.exp(-(middle**2) / 2)}
        tables.append(pd.DataFrame({**names, "rms": 10.0 ** (inits[init] * layer), **bins}))
    return pd.concat(tables, ignore_index=True)


def titles(axes):
    return [panel.get_title() for panel in axes]


@pytest.mark.parametrize(
    "layers",
    [
        signals(),
        signals(depth=50),
        signals(depth=1, seeds=1),
        signals(depth=3, activations=["tanh"], inits={"kaiming": 0.0}),
        signals(activations=["relu", "leaky_relu", "elu", "gelu", "silu", "tanh"]),
        signals().assign(gradient_norm=np.nan),
    ],
    ids=["desk", "deep", "one layer", "one line", "six activations", "all overflowed"],
)
def test_signals_of_any_study_fit_the_page(layers):
    before = layers.copy()
    figure = gradient_flow(layers=layers)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    pd.testing.assert_frame_equal(layers, before)


def test_lines_are_geometric_means_over_seeds_and_bands_their_range():
    layers = signals()
    figure = gradient_flow(layers=layers)
    assert titles(figure.axes[:4]) == ["ReLU", "GELU", "tanh", "sigmoid"]
    for axes, measure in ((figure.axes[2], "activation_std"), (figure.axes[6], "gradient_norm")):
        values = layers.query("activation == 'tanh' and init == 'normal_small'").pivot(
            index="layer", columns="seed", values=measure
        )
        np.testing.assert_allclose(axes.lines[3].get_ydata(), np.exp(np.log(values).mean(axis=1)))
        edge = axes.collections[3].get_paths()[0].vertices[:, 1]
        assert edge.min() == pytest.approx(values.min(axis=None))
        assert edge.max() == pytest.approx(values.max(axis=None))


@pytest.mark.parametrize("lost", [0.0, np.nan])
def test_a_line_has_a_gap_where_one_seed_vanished_or_overflowed(lost):
    layers = signals()
    at = (layers.activation == "relu") & (layers.init == "xavier") & (layers.seed == 1) & (layers.layer > 7)
    layers.loc[at, "activation_std"] = lost
    drawn = gradient_flow(layers=layers).axes[0].lines[0].get_ydata()
    assert np.isnan(drawn).tolist() == [False] * 7 + [True] * 3


def test_only_what_float32_cannot_hold_is_shaded_and_the_legend_says_so():
    shallow, deep = gradient_flow(layers=signals()), gradient_flow(layers=signals(depth=50))
    assert not any(axes.patches for axes in shallow.axes)
    upper = deep.axes[0]
    assert upper.patches[0].get_y() + upper.patches[0].get_height() == pytest.approx(LEAST)
    names = [[text.get_text() for text in figure.legends[0].get_texts()] for figure in (shallow, deep)]
    assert names[0] == ["Xavier", "Kaiming", "LSUV", "N(0, 0.01²)", "N(0, 1)"]
    assert names[1] == [*names[0], "beyond float32"]


@pytest.mark.parametrize(
    "histograms",
    [shapes(), shapes(["relu"], {"kaiming": 0.0}, [1]), shapes(["relu"]).assign(density=0.0, rms=np.nan)],
    ids=["desk", "one panel", "all overflowed"],
)
def test_histograms_of_any_study_fit_the_page(histograms):
    before = histograms.copy()
    figure = activation_histograms(histograms=histograms)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    pd.testing.assert_frame_equal(histograms, before)


def test_ridges_go_down_with_the_layers_each_with_its_root_mean_square():
    figure = activation_histograms(histograms=shapes(["relu", "tanh"]))
    assert titles(figure.axes[:5]) == ["Xavier", "Kaiming", "LSUV", "N(0, 0.01²)", "N(0, 1)"]
    assert len(figure.axes) == 2 * 2 * 5
    small = figure.axes[3]
    assert [text.get_text() for text in small.texts] == ["0.06", "0.0003", "6e-08", "3e-10", "1e-12"]
    heights = [text.get_position()[1] for text in small.texts]
    assert heights == sorted(heights, reverse=True)


def test_ridges_have_the_shape_of_their_density():
    histograms = shapes(["relu"], {"kaiming": 0.0}, [1])
    filled = activation_histograms(histograms=histograms).axes[0].patches[0]
    density = histograms.density[:80].to_numpy()
    values = filled.get_data().values
    np.testing.assert_allclose(values / values.max(), density / density.max())
