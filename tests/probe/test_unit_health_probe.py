"""Saturated and dead units are counted as defined, whatever the activation and whatever lies around it."""

from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from finished import finished
from tiny import CLASSES, SIDE, TEST, write_tiny

from phase2.data.prepared import open_prepared
from phase2.errors import UserError
from phase2.models.mlp import MLP
from phase2.probe.gradient_flow.measure import propagate
from phase2.probe.runs import Run
from phase2.probe.unit_health.measure import measure as unit_health
from phase2.task.images import open_images

FEATURES = SIDE * SIDE


TASK = {"name": "images", "validation": 20, "train": None}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("data") / "tiny"))


def network(activation, seed=0, bias=0.0, **options):
    """An MLP of 2 layers of 6 units; `bias` is the first layer's."""
    torch.manual_seed(seed)
    model = MLP(FEATURES, CLASSES, **{"width": 6, "depth": 2, "activation": activation} | options).eval()
    with torch.no_grad():
        model.layers[0].bias.fill_(bias)
    return Run({"activation": activation, "seed": seed}, model, TASK)


def measured(data, *runs, batch=TEST):
    return unit_health(SimpleNamespace(batch=batch), data, finished(*runs))["units"]


def images_of(data):
    return open_images(data, 0, None, torch.device("cpu")).test.batch(torch.arange(TEST), torch.float32)


def test_there_is_a_row_for_every_run_and_layer_with_the_runs_axes(data):
    units = measured(data, network("relu"), network("tanh", seed=3, depth=4))
    assert list(units) == ["activation", "seed", "layer", "saturated", "dead", "mean", "std"]
    assert units.layer.tolist() == [1, 2, 1, 2, 3, 4]
    assert units.activation.tolist() == ["relu"] * 2 + ["tanh"] * 4
    assert units.seed.tolist() == [0] * 2 + [3] * 4


@pytest.mark.parametrize("options", [{}, {"norm": "layer"}, {"norm": "batch", "dropout": 0.5}])
def test_a_sigmoid_layer_matches_its_formulas_beside_norms_and_dropout(data, options):
    run = network("sigmoid", **options)
    with torch.no_grad():
        run.model.layers[0].weight.mul_(10)  # many saturated
    images, _ = images_of(data)
    first = run.model.layers[: 3 if "norm" in options else 2]
    h = first(images.flatten(1)).detach().double()
    row = measured(data, run).iloc[0]
    assert row.saturated == pytest.approx((h * (1 - h) < 0.01).double().mean().item(), abs=1 / 360)
    if not options:
        assert row.saturated > 0
    assert row["mean"] == pytest.approx(h.mean().item(), rel=1e-5)
    assert row["std"] == pytest.approx(h.std(correction=0).item(), rel=1e-5)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid"])
def test_saturation_is_that_of_the_probe_gradient_flow(data, activation):
    run = network(activation)
    flow = [(signal.slope.abs() < 0.01).double().mean().item() for signal in propagate(run.model, *images_of(data))]
    assert measured(data, run).saturated.tolist() == flow


@pytest.mark.parametrize(
    ("activation", "bias", "saturated", "dead"),
    [
        ("relu", -100, 1, 1),
        ("relu", 100, 0, 0),
        ("leaky_relu", -100, 0, 0),
        ("gelu", -100, 1, 1),
        ("sigmoid", -100, 1, 1),
        ("sigmoid", 8, 1, 0),  # open on every image, and still telling them apart
        ("tanh", 100, 1, 1),
    ],
)
def test_units_pushed_to_one_side_are_saturated_or_dead_as_defined(data, activation, bias, saturated, dead):
    first = measured(data, network(activation, bias=bias)).iloc[0]
    assert (first.saturated, first.dead) == (saturated, dead)


def test_one_dead_unit_of_six_is_a_sixth(data):
    run = network("relu", bias=20.0)
    with torch.no_grad():
        run.model.layers[0].bias[2] = -100
    first = measured(data, run).iloc[0]
    assert first.dead == pytest.approx(1 / 6)
    assert first.saturated == pytest.approx(1 / 6)


def test_networks_are_left_as_they_were_and_numbers_repeat(data):
    run = network("gelu", dropout=0.5)
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    units = measured(data, run)
    pd.testing.assert_frame_equal(units, measured(data, run))
    assert all(torch.equal(value, before[name]) for name, value in run.model.state_dict().items())
    assert all(p.grad is None for p in run.model.parameters())
    assert not any(module._forward_hooks for module in run.model.modules())


def test_more_images_than_there_are_or_no_activation_axis_is_an_error_that_says_so(data):
    with pytest.raises(UserError, match="test images: 61 are asked for by the probe's options, expected at most"):
        measured(data, network("relu"), batch=61)
    with pytest.raises(UserError, match="axes are width, seed, expected activation"):
        measured(data, Run({"width": 6, "seed": 0}, network("relu").model))
