"""Planes through a network's weights: directions as defined, and losses in lanes equal to those one by one."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call

from phase2.errors import UserError
from phase2.models.mlp import MLP
from phase2.nn import BatchNorm1d, BatchNorm2d, Linear, ReLU, cross_entropy
from phase2.probe.plane import filter_normalized, flatten, losses_at, principal_plane, random_direction, unflatten
from phase2.task.metrics.accuracy import accuracy

BATCH, FEATURES, CLASSES = 12, 6, 3


class Conv(nn.Module):
    """A network whose first layer is no Linear, and whose BatchNorm is 2-dimensional."""

    def __init__(self):
        super().__init__()
        self.filters = nn.Parameter(torch.randn(4, 1, 2, 2))
        self.norm, self.out = BatchNorm2d(4), Linear(4, CLASSES)

    def forward(self, x):
        h = nn.functional.conv2d(x.view(-1, 1, 2, 3), self.filters)
        return self.out(self.norm(h).mean((2, 3)))


def networks():
    torch.manual_seed(0)
    return {
        "mlp": MLP(FEATURES, CLASSES, width=5, depth=2),
        "batch": MLP(FEATURES, CLASSES, width=5, depth=2, norm="batch"),
        "dropout": MLP(FEATURES, CLASSES, width=5, depth=2, norm="layer", dropout=0.5),
        "one layer": nn.Sequential(nn.Flatten(), Linear(FEATURES, CLASSES)),
        "no mlp": nn.Sequential(Linear(FEATURES, 5), BatchNorm1d(5), ReLU(), Linear(5, CLASSES)),
        "conv": Conv(),
    }


def weights_of(model):
    return {name: p.detach() for name, p in model.named_parameters()}


def plane_of(model, seed=0):
    weights, generator = weights_of(model), torch.Generator().manual_seed(seed)
    return weights, [filter_normalized(random_direction(weights, generator), weights) for _ in range(2)]


def examples(seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(BATCH, FEATURES, generator=generator), torch.arange(BATCH) % CLASSES


def classification(outputs, targets):
    return cross_entropy(outputs, targets), {"accuracy": accuracy(outputs, targets)}


def one_by_one(model, weights, directions, coordinates, inputs, targets):
    rows = []
    for c in coordinates.float():
        moved = {n: w + sum(x * d[n] for x, d in zip(c, directions, strict=True)) for n, w in weights.items()}
        rows.append(classification(functional_call(model.eval(), moved, (inputs,)), targets))
    losses, totals = zip(*rows, strict=True)
    return torch.stack(losses).detach(), {"accuracy": torch.stack([t["accuracy"] for t in totals]) / len(targets)}


def test_a_filter_of_a_normalized_direction_is_as_long_as_that_of_the_weights():
    weights = weights_of(Conv())
    direction = filter_normalized(random_direction(weights, torch.Generator().manual_seed(0)), weights)
    for name in ("filters", "out.weight"):
        torch.testing.assert_close(direction[name].flatten(1).norm(dim=1), weights[name].flatten(1).norm(dim=1))
    for name in ("norm.weight", "norm.bias", "out.bias"):
        assert not direction[name].any()


def test_the_direction_does_not_depend_on_the_scale_that_it_was_drawn_with():
    weights = {"w": torch.randn(3, 4)}
    drawn = random_direction(weights, torch.Generator().manual_seed(0))
    scaled = {"w": 1000 * drawn["w"]}
    torch.testing.assert_close(filter_normalized(scaled, weights), filter_normalized(drawn, weights))


def test_a_direction_repeats_for_one_generator_and_differs_for_another():
    weights = {"w": torch.zeros(3, 4, dtype=torch.float64), "b": torch.zeros(2)}
    first, again, other = (random_direction(weights, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(flatten(first), flatten(again))
    assert not torch.equal(flatten(first), flatten(other))
    assert [d.dtype for d in first.values()] == [torch.float64, torch.float32]


@settings(max_examples=10)
@given(st.lists(st.lists(st.integers(1, 3), max_size=3), min_size=1, max_size=4))
def test_unflatten_inverts_flatten(shapes):
    weights = {f"w{index}": torch.randn(shape) for index, shape in enumerate(shapes)}
    back = unflatten(flatten(weights), weights)
    assert list(back) == list(weights)
    assert all(torch.equal(back[name], weights[name]) for name in weights)


def test_a_vector_of_another_length_cannot_be_unflattened():
    with pytest.raises(UserError, match=r"vector has shape \(5,\), expected \(4,\)"):
        unflatten(torch.zeros(5), {"w": torch.zeros(2, 2)})


@settings(max_examples=10)
@given(st.integers(0, 1000), st.integers(3, 8))
def test_a_path_in_a_plane_is_drawn_whole(seed, points):
    generator = torch.Generator().manual_seed(seed)
    inside = torch.randn(points, 2, generator=generator, dtype=torch.float64)
    path = inside @ torch.randn(2, 7, generator=generator, dtype=torch.float64) + 3
    origin, basis, coordinates, explained = principal_plane(path)
    torch.testing.assert_close(basis @ basis.T, torch.eye(2, dtype=torch.float64))
    torch.testing.assert_close(origin + coordinates @ basis, path)
    assert torch.equal(origin, path[-1])
    assert not coordinates[-1].any()
    assert (coordinates[0] >= 0).all()
    assert explained.sum() == pytest.approx(1)
    assert explained[0] >= explained[1]


def test_the_plane_explains_the_share_of_the_squared_distances_from_the_end():
    path = torch.tensor([[3.0, 0, 0], [0, 2, 0], [0, 0, 1], [0, 0, 0]], dtype=torch.float64)
    _, basis, coordinates, explained = principal_plane(path)
    torch.testing.assert_close(explained, torch.tensor([9 / 14, 4 / 14], dtype=torch.float64))
    torch.testing.assert_close(basis.abs(), torch.eye(2, 3, dtype=torch.float64))
    torch.testing.assert_close(coordinates[0], torch.tensor([3.0, 0], dtype=torch.float64))


@pytest.mark.parametrize("path", [torch.zeros(1, 5), torch.zeros(4, 1), torch.zeros(3)])
def test_a_path_without_a_plane_is_an_error_that_says_so(path):
    with pytest.raises(UserError, match=r"expected \(points, parameters\) above 1"):
        principal_plane(path)


def test_a_path_that_stands_still_is_an_error_that_says_so():
    with pytest.raises(UserError, match="expected a path that moves"):
        principal_plane(torch.ones(3, 4))


@pytest.mark.parametrize("at_once", [1, 4, 100])
@pytest.mark.parametrize("name", list(networks()))
def test_losses_in_lanes_are_those_of_one_point_after_the_other(name, at_once):
    model = networks()[name]
    batch, (weights, directions) = examples(), plane_of(model)
    coordinates = torch.cartesian_prod(*[torch.linspace(-1, 1, 3, dtype=torch.float64)] * 2)
    found = losses_at(model, classification, weights, directions, coordinates, *batch, at_once=at_once)
    torch.testing.assert_close(found, one_by_one(model, weights, directions, coordinates, *batch))


def test_every_parameter_may_move_biases_and_norms_too():
    model = networks()["batch"]
    weights, batch = weights_of(model), examples()
    direction = random_direction(weights, torch.Generator().manual_seed(0))
    coordinates = torch.tensor([[0.5], [-0.3]])
    found = losses_at(model, classification, weights, [direction], coordinates, *batch)
    torch.testing.assert_close(found, one_by_one(model, weights, [direction], coordinates, *batch))


@pytest.mark.parametrize("name", ["batch", "no mlp", "conv"])
@pytest.mark.parametrize("at_once", [1, 3])
def test_recalibrated_statistics_are_those_of_the_inputs_at_each_point(name, at_once):
    """Where the running statistics are the batch's, evaluation is training but for the variance's denominator."""
    model = networks()[name]
    (inputs, targets), (weights, directions) = examples(), plane_of(model)
    coordinates = torch.tensor([[0.0, 0.0], [0.5, -1.0], [2.0, 1.0]])
    losses, _ = losses_at(
        model, classification, weights, directions, coordinates, inputs, targets, at_once=at_once, recalibrate=True
    )
    for loss, c in zip(losses, coordinates, strict=True):
        solo = networks()[name]
        with torch.no_grad():
            for n, p in solo.named_parameters():
                p.copy_(weights[n] + c[0] * directions[0][n] + c[1] * directions[1][n])
        norms = [layer for layer in solo.modules() if isinstance(layer, BatchNorm1d | BatchNorm2d)]
        for norm in norms:
            norm.momentum = None
        solo.train()(inputs)
        torch.testing.assert_close(loss, classification(solo.eval()(inputs), targets)[0].detach())


def test_a_network_without_batch_norm_has_nothing_to_recalibrate():
    model = networks()["dropout"]
    batch, (weights, directions) = examples(), plane_of(model)
    arguments = (model, classification, weights, directions, torch.tensor([[0.3, 0.1], [0.0, 0.0]]), *batch)
    torch.testing.assert_close(losses_at(*arguments, recalibrate=True), losses_at(*arguments))


def test_a_point_that_is_not_finite_disturbs_no_other():
    model = networks()["mlp"]
    batch, (weights, directions) = examples(), plane_of(model)
    coordinates = torch.tensor([[0.1, 0.2], [torch.inf, 0.0], [0.0, torch.nan], [1e30, 1e30], [-0.4, 0.3]])
    losses, means = losses_at(model, classification, weights, directions, coordinates, *batch)
    assert losses[1:4].isfinite().tolist() == means["accuracy"][1:4].isfinite().tolist() == [False] * 3
    alone = losses_at(model, classification, weights, directions, coordinates[[0, 4]], *batch)
    torch.testing.assert_close((losses[[0, 4]], {"accuracy": means["accuracy"][[0, 4]]}), alone)


def test_the_model_is_left_as_it_was():
    model = networks()["batch"].train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    weights, directions = plane_of(model)
    losses_at(model, classification, weights, directions, torch.ones(3, 2), *examples(), recalibrate=True)
    assert model.training
    assert list(before) == list(model.state_dict())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert [layer.momentum for layer in model.modules() if isinstance(layer, BatchNorm1d)] == [0.1, 0.1]


def test_coordinates_need_a_column_for_each_direction():
    model = networks()["mlp"]
    weights, directions = plane_of(model)
    with pytest.raises(UserError, match=r"coordinates have shape \(4, 3\), expected \(points, 2\)"):
        losses_at(model, classification, weights, directions, torch.zeros(4, 3), *examples())
