"""Signals at initialization: right against autograd, as theory says, and honest where numbers end."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from tiny import CLASSES, SIDE, write_tiny

from phase2.data.prepared import open_prepared
from phase2.models.mlp import MLP
from phase2.nn.initial.kaiming import kaiming
from phase2.probe.gradient_flow.measure import measure as gradient_flow
from phase2.probe.gradient_flow.measure import propagate
from phase2.task.images import open_images
from phase2.task.order import epoch_order
from phase2.task.seeding import generator

OPTIONS = {"activations": ["relu", "tanh"], "inits": ["kaiming", "normal_small"], "depth": 6, "width": 16}
OPTIONS |= {"seeds": [0, 3], "batch": 40}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("data") / "tiny"))


def measured(data, **changes):
    return gradient_flow(SimpleNamespace(**OPTIONS | changes), data)


def within_statistical_error(ratio: pd.Series, expected: float, most: float) -> bool:
    """Whether the mean over seeds is `expected` to 4 standard errors, which are below `most` of it."""
    error = ratio.std() / np.sqrt(len(ratio))
    assert error < most * expected
    return abs(ratio.mean() - expected) < 4 * error


def test_tables_have_a_row_for_every_layer_and_repeat(data):
    tables = measured(data)
    layers = tables["layers"]
    assert list(layers)[:4] == ["activation", "init", "seed", "layer"]
    assert len(layers) == 2 * 2 * 2 * 6
    assert not layers.duplicated(["activation", "init", "seed", "layer"]).any()
    assert sorted(layers.layer.unique()) == [1, 2, 3, 4, 5, 6]
    for name, table in measured(data).items():
        pd.testing.assert_frame_equal(table, tables[name])


def test_networks_of_one_seed_do_not_depend_on_what_else_is_measured(data):
    all_layers = measured(data)["layers"]
    alone = measured(data, activations=["tanh"], inits=["normal_small"], seeds=[3])["layers"]
    same = all_layers.query("activation == 'tanh' and init == 'normal_small' and seed == 3").reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, same)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_a_layer_matches_torch(data, activation):
    made = measured(data, activations=[activation], inits=["kaiming"], seeds=[3])["layers"].set_index("layer")
    parts = open_images(data, 0, None, torch.device("cpu"))
    images, labels = parts.train.batch(epoch_order(len(parts.train), 3, 0)[:40], torch.float64)
    model = MLP(SIDE * SIDE, CLASSES, 16, 6, activation).double()
    kaiming(model, generator=generator(3, "init"), batch=images)
    x, weights, outputs, slopes = images.flatten(1), [], [], []
    for layer in model.layers[:-1:2]:
        z = torch.nn.functional.linear(x, layer.weight, layer.bias)
        x = getattr(torch, activation)(z)
        slopes.append((z > 0).double() if activation == "relu" else x * (1 - x))
        weights.append(layer.weight)
        outputs.append(x)
    logits = torch.nn.functional.linear(x, model.layers[-1].weight, model.layers[-1].bias)
    loss = torch.nn.functional.cross_entropy(logits, labels)
    by_output, by_weight = (torch.autograd.grad(loss, of, retain_graph=True) for of in (outputs, weights))
    expected = pd.DataFrame(
        {
            "activation_mean": h.mean().item(),
            "activation_std": h.std(correction=0).item(),
            "saturated": (slope.abs() < 0.01).double().mean().item(),
            "dead": (slope.abs() < 0.01).all(0).double().mean().item(),
            "gradient_norm": 40 * G.square().mean().sqrt().item(),
            "weight_gradient_norm": G_W.norm().item(),
        }
        for h, slope, G, G_W in zip(outputs, slopes, by_output, by_weight, strict=True)
    )
    np.testing.assert_allclose(made[expected.columns], expected, rtol=1e-9)


def test_kaiming_keeps_the_second_moment_of_relu_at_every_depth(data):
    layers = measured(data, activations=["relu"], inits=["kaiming"], width=128, seeds=range(40))["layers"]
    moment = layers.assign(m=layers.activation_std**2 + layers.activation_mean**2).pivot(
        index="seed", columns="layer", values="m"
    )
    for layer in range(2, 7):
        assert within_statistical_error(moment[layer] / moment[1], expected=1, most=0.15), layer


@pytest.mark.parametrize("column", ["activation_std", "gradient_norm"])
def test_small_weights_shrink_tanhs_signal_by_width_times_variance_a_layer(data, column):
    layers = measured(data, activations=["tanh"], inits=["normal_small"], width=64, seeds=range(40))["layers"]
    square = (layers.set_index(["seed", "layer"])[column] ** 2).unstack()
    shrinks = 64 * 0.01**2
    ratio = square[6] / square[2] if column == "activation_std" else square[2] / square[6]
    assert within_statistical_error(ratio, expected=shrinks**4, most=0.15)


def test_units_that_no_row_reaches_are_dead_and_pass_no_gradient():
    model = MLP(5, CLASSES, width=4, depth=2).double()
    with torch.no_grad():
        model.layers[0].bias[:3] = -100.0
        model.layers[0].bias[3] = 100.0
    first, _ = propagate(model, torch.ones(7, 5, dtype=torch.float64), torch.zeros(7, dtype=torch.int64))
    assert first.slope.tolist() == [[0, 0, 0, 1]] * 7
    assert (first.weight_gradient[:3] == 0).all()
    assert (first.h[:, :3] == 0).all()


def test_fifty_layers_neither_vanish_nor_explode_out_of_range(data):
    options = {"activations": ["relu"], "inits": ["normal_small", "normal_large"], "depth": 50, "width": 32}
    layers = measured(data, **options, seeds=[0])["layers"].set_index(["init", "layer"])
    assert 0 < layers.activation_std["normal_small", 50] < 1e-60
    assert layers.activation_std["normal_large", 50] > 1e25
    assert layers.gradient_norm["normal_large", 1] > 1e25
    assert np.isfinite(layers.select_dtypes("number")).all(axis=None)


def test_what_overflows_even_float64_is_nan_and_never_infinite(data):
    options = {"activations": ["relu"], "inits": ["normal_large"], "depth": 330, "width": 200, "batch": 8}
    tables = measured(data, **options, seeds=[0])
    layers = tables["layers"].set_index("layer")
    assert layers.activation_std[1] > 0
    assert np.isnan(layers.activation_std[330])
    assert np.isnan(layers.activation_mean[330])
    assert np.isnan(layers.gradient_norm[1])
    assert not np.isinf(layers.select_dtypes("number")).any(axis=None)
    last = tables["histograms"].query("layer == 330")
    assert (last.density == 0).all()


def test_histograms_hold_all_values_but_zeros_and_far_tails(data):
    tables = measured(data, depth=10, activations=["relu", "tanh"])
    histograms = tables["histograms"]
    assert sorted(histograms.layer.unique()) == [1, 3, 6, 8, 10]
    area = histograms.assign(mass=histograms.density * (histograms.bin_right - histograms.bin_left))
    mass = area.groupby(["activation", "init", "kind", "layer"]).mass.sum()
    assert mass["tanh"].between(0.98, 1.0001).all()
    layers = tables["layers"].query("activation == 'relu' and init == 'kaiming' and seed == 0").set_index("layer")
    live = mass["relu", "kaiming", "activation"]
    np.testing.assert_allclose(live, 1 - layers.saturated[live.index], atol=0.02)  # and tails beyond the bins


def test_histograms_say_how_large_their_values_are(data):
    tables = measured(data)
    rms = tables["histograms"].groupby(["activation", "init", "layer", "kind"]).rms.first().unstack()
    layers = tables["layers"].query("seed == 0").set_index(["activation", "init", "layer"])
    expected = layers.loc[rms.index]
    np.testing.assert_allclose(rms.gradient, expected.gradient_norm)
    np.testing.assert_allclose(rms.activation, np.hypot(expected.activation_std, expected.activation_mean))


def test_of_a_small_data_set_all_images_are_used(data):
    more, all_ = (measured(data, batch=size)["layers"] for size in (1000, 200))
    pd.testing.assert_frame_equal(more, all_)
