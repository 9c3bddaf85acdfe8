"""Initial values: torch's bits, the distributions they claim, and the recipes for networks."""

import math

import pytest
import torch
from scipy import stats

from phase2 import registry
from phase2.errors import UserError
from phase2.models import MLP
from phase2.nn import init
from phase2.nn.init import linear_layers

SHAPES = [(1, 1), (3, 5), (64, 32), (32, 64), (8, 4, 3, 3)]
SEEDED = {
    "xavier_uniform_": [{}, {"gain": 1.7}],
    "xavier_normal_": [{}, {"gain": 1.7}],
    "kaiming_uniform_": [{}, {"a": math.sqrt(5)}, {"mode": "fan_out", "nonlinearity": "relu"}],
    "kaiming_normal_": [{}, {"a": 0.2}, {"mode": "fan_out", "nonlinearity": "tanh"}],
    "orthogonal_": [{}, {"gain": 1.7}],
    "normal_": [{}, {"mean": 2.0, "std": 0.1}],
    "uniform_": [{}, {"a": -1.0, "b": 3.0}],
}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("name", "options"), [(name, options) for name, cases in SEEDED.items() for options in cases])
def test_same_generator_gives_torchs_bits(name, options, shape, dtype):
    ours, theirs = torch.empty(shape, dtype=dtype), torch.empty(shape, dtype=dtype)
    result = getattr(init, name)(ours, **options, generator=seeded())
    getattr(torch.nn.init, name)(theirs, **options, generator=seeded())
    assert result is ours
    assert torch.equal(ours, theirs)


def test_constants_are_filled():
    assert torch.equal(init.constant_(torch.empty(2, 3), 0.3), torch.full((2, 3), 0.3))
    assert torch.equal(init.zeros_(torch.empty(2, 3)), torch.zeros(2, 3))


def test_parameters_that_need_gradients_are_filled_in_place():
    parameter = torch.nn.Parameter(torch.empty(4, 4))
    for name in [*SEEDED, "trunc_normal_", "zeros_"]:
        assert getattr(init, name)(parameter) is parameter
    assert parameter.requires_grad
    assert parameter.is_leaf


@pytest.mark.parametrize(
    ("nonlinearity", "param"),
    [("linear", None), ("conv2d", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("selu", None)]
    + [("leaky_relu", slope) for slope in (None, 0, 0.2, 1)],
)
def test_gains_are_torchs(nonlinearity, param):
    assert init.calculate_gain(nonlinearity, param) == torch.nn.init.calculate_gain(nonlinearity, param)


@pytest.mark.parametrize(
    ("name", "options", "law"),
    [
        ("xavier_normal_", {}, stats.norm(0, math.sqrt(2 / 300))),
        ("xavier_uniform_", {}, stats.uniform(-math.sqrt(6 / 300), 2 * math.sqrt(6 / 300))),
        ("kaiming_normal_", {"nonlinearity": "relu"}, stats.norm(0, math.sqrt(2 / 200))),
        ("kaiming_uniform_", {}, stats.uniform(-math.sqrt(6 / 200), 2 * math.sqrt(6 / 200))),
        ("normal_", {"mean": 1, "std": 2}, stats.norm(1, 2)),
        ("uniform_", {"a": -1, "b": 2}, stats.uniform(-1, 3)),
        ("trunc_normal_", {}, stats.truncnorm(-2, 2)),
        ("trunc_normal_", {"std": 0.5, "a": 0.0, "b": 0.2}, stats.truncnorm(0, 0.4, 0, 0.5)),
        ("trunc_normal_", {"a": 1.5, "b": 4.0}, stats.truncnorm(1.5, 4)),
    ],
)
def test_values_follow_the_distribution_they_claim(name, options, law):
    values = getattr(init, name)(torch.empty(100, 200), **options, generator=seeded(4))
    assert stats.kstest(values.flatten().numpy(), law.cdf).pvalue > 0.01


def test_trunc_normal_stays_within_its_bounds_and_warns_when_they_are_far():
    with pytest.warns(UserWarning, match="more than 2 std"):
        values = init.trunc_normal_(torch.empty(1000), mean=5.0, a=-1.0, b=1.0, generator=seeded())
    assert -1 <= values.min() <= values.max() <= 1


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4), (4, 3, 2, 2)])
def test_orthogonal_rows_or_columns_are_orthonormal(shape):
    W = init.orthogonal_(torch.empty(shape, dtype=torch.float64), gain=2.0).flatten(1)
    product = W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W
    torch.testing.assert_close(product, 4 * torch.eye(len(product), dtype=torch.float64))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: init.kaiming_normal_(torch.empty(3)), r"2 or more dimensions, got shape \(3,\)"),
        (lambda: init.xavier_normal_(torch.empty(3)), r"2 or more dimensions, got shape \(3,\)"),
        (lambda: init.orthogonal_(torch.empty(3)), "2 or more dimensions"),
        (lambda: init.kaiming_normal_(torch.empty(3, 3), mode="fan_on"), "unknown mode 'fan_on'"),
        (lambda: init.kaiming_normal_(torch.empty(3, 0)), r"shape \(3, 0\) has no elements"),
        (lambda: init.calculate_gain("rleu"), "unknown nonlinearity 'rleu': did you mean 'relu'"),
        (lambda: init.calculate_gain("leaky_relu", "steep"), "'steep' is not a number"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(UserError, match=message):
        call()


def apply_recipe(name, model=None, seed=0, batch=None):
    model = MLP(20, 10, 32, 3) if model is None else model
    batch = torch.randn(128, 20, generator=seeded(9)) if batch is None else batch
    measured = registry.load("init", name)(model, generator=seeded(seed), batch=batch)
    return model, measured


@pytest.mark.parametrize("name", registry.names("init"))
def test_a_recipe_depends_on_its_generator_alone_and_zeroes_biases(name):
    first, _ = apply_recipe(name)
    again, _ = apply_recipe(name)
    other, _ = apply_recipe(name, seed=1)
    for key, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])
        assert torch.equal(value, other.state_dict()[key]) == key.endswith("bias")
        assert key.endswith("weight") or not value.any()


@pytest.mark.parametrize("name", registry.names("init"))
def test_a_recipe_leaves_torchs_global_generator_alone(name):
    model = MLP(20, 10, 32, 3)
    state = torch.get_rng_state()
    apply_recipe(name, model)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("name", "std"),
    [
        ("xavier", lambda out, fan_in: math.sqrt(2 / (fan_in + out))),
        ("kaiming", lambda out, fan_in: math.sqrt(2 / fan_in)),
        ("normal_small", lambda out, fan_in: 0.01),
        ("normal_large", lambda out, fan_in: 1.0),
    ],
)
def test_normal_recipes_of_one_seed_scale_the_same_noise(name, std):
    noise, _ = apply_recipe("normal_large")
    model, measured = apply_recipe(name)
    assert measured == {}
    for (_, layer), (_, standard) in zip(linear_layers(model), linear_layers(noise), strict=True):
        torch.testing.assert_close(layer.weight, standard.weight * std(*layer.weight.shape))


@pytest.mark.parametrize("activation", registry.names("activation"))
def test_lsuv_leaves_every_layer_with_unit_output_variance(activation):
    batch = 3 * torch.randn(256, 20, generator=seeded(5)) + 1
    model, measured = apply_recipe("lsuv", MLP(20, 10, 32, 6, activation), batch=batch)
    assert measured.pop("unconverged") == 0
    assert list(measured) == [f"variance.{name}" for name, _ in linear_layers(model)]
    seen = []
    hooks = [layer.register_forward_hook(lambda m, x, y: seen.append(y)) for _, layer in linear_layers(model)]
    model(batch)
    for hook in hooks:
        hook.remove()
    assert len(seen) == 7
    for output, variance in zip(seen, measured.values(), strict=True):
        torch.testing.assert_close(output.var(correction=0).item(), variance, rtol=1e-4, atol=0)
        assert abs(variance - 1) < 0.02
    assert not any(layer._forward_hooks for _, layer in linear_layers(model))


def test_lsuv_scales_the_orthogonal_start():
    start, _ = apply_recipe("orthogonal")
    model, _ = apply_recipe("lsuv")
    for (_, layer), (_, W) in zip(linear_layers(model), linear_layers(start), strict=True):
        ratio = layer.weight / W.weight
        torch.testing.assert_close(ratio, ratio.mean().expand_as(ratio), rtol=1e-4, atol=0)


def test_lsuv_reports_layers_that_do_not_converge(monkeypatch):
    monkeypatch.setattr("phase2.nn.lsuv.MAX_ITERATIONS", 0)
    _, measured = apply_recipe("lsuv", batch=100 * torch.randn(64, 20))
    assert measured["unconverged"] >= 1


@pytest.mark.parametrize("batch", [torch.zeros(8, 20), torch.full((8, 20), torch.nan)])
def test_lsuv_names_a_layer_whose_variance_no_scale_can_mend(batch):
    with pytest.raises(UserError, match=r"layer 'layers.0' has variance (0.0|nan) on a batch of shape \(8, 20\)"):
        apply_recipe("lsuv", batch=batch)


def test_a_model_without_linear_layers_is_an_error():
    with pytest.raises(UserError, match=r"ReLU has no phase2.nn.Linear layer"):
        apply_recipe("xavier", torch.nn.ReLU())
