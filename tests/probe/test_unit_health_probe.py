"""Saturated and dead units are counted as defined, whatever the activation and whatever lies around it."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from finished import finished
from tiny import CLASSES, SIDE, TEST, write_tiny
from torch.nn import Module

from phase2.data.prepared import open_prepared
from phase2.errors import UserError
from phase2.models.mlp import MLP
from phase2.probe.gradient_flow.measure import propagate
from phase2.probe.runs import Run
from phase2.probe.unit_health.measure import clearly_above
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


class Oracle(Module):
    """A network, and on the images that it is given, the right answer."""

    def __init__(self, model, images, labels):
        super().__init__()
        self.model, self.images, self.answers = model, images, torch.eye(CLASSES)[labels]

    def forward(self, x):
        outputs = self.model(x)
        same = (x.flatten(1).unsqueeze(1) == self.images.flatten(1)).all(2)
        return torch.where(same.any(1, keepdim=True), 1e6 * self.answers[same.int().argmax(1)], outputs)


def measured(data, *runs, batch=TEST):
    return unit_health(SimpleNamespace(batch=batch), data, finished(*runs))["units"]


def images_of(data):
    return open_images(data, 20, None, torch.device("cpu")).test.batch(torch.arange(TEST), torch.float32)


def test_there_is_a_row_for_every_run_and_layer_with_the_runs_axes(data):
    units = measured(data, network("relu"), network("tanh", seed=3, depth=4))
    assert list(units) == [
        *("activation", "seed", "val_accuracy", "learned"),
        *("layer", "saturated", "dead", "mean", "std"),
    ]
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


def test_a_network_has_learned_if_it_beats_the_largest_class_clearly_on_validation(data):
    val = open_images(data, 60, None, torch.device("cpu")).val
    images, labels = val.batch(torch.arange(60), torch.float32)
    run = network("relu")
    knows, guesses = (
        Run({"activation": "relu", "seed": seed}, run.model, TASK | {"validation": 60}) for seed in (0, 1)
    )
    knows = replace(knows, model=Oracle(run.model, images, labels))
    units = measured(data, knows, guesses)
    assert units.groupby("seed").learned.first().tolist() == [True, False]
    right = (run.model(images).argmax(1) == labels).double().mean().item()
    assert units.groupby("seed").val_accuracy.first().tolist() == [1.0, pytest.approx(right)]


def test_clearly_is_by_three_standard_errors():
    assert clearly_above(0.1 + 3.01 * 0.3 / 10, 0.1, 100)
    assert not clearly_above(0.1 + 2.99 * 0.3 / 10, 0.1, 100)
    assert not clearly_above(0.1, 0.1, 10**6)


def test_of_few_test_images_all_are_used(data):
    pd.testing.assert_frame_equal(measured(data, network("relu"), batch=1000), measured(data, network("relu")))


def test_a_study_without_an_axis_of_activations_is_an_error_that_says_so(data):
    with pytest.raises(UserError, match="axes are width, seed, expected activation"):
        measured(data, Run({"width": 6, "seed": 0}, network("relu").model))
