"""Initial values: torch's bits from the same generator, and the recipes for networks."""

import math

import pytest
import torch

from phase2 import registry
from phase2.errors import UserError
from phase2.models import MLP
from phase2.nn import init
from phase2.nn.convolution.conv import Conv2d
from phase2.nn.initial.recipe import weighted_layers
from phase2.nn.linear import Linear

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
    assert torch.equal(init.ones_(torch.empty(2, 3)), torch.ones(2, 3))


@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (5, 2), (0, 3)])
def test_eye_is_torchs(shape):
    assert torch.equal(init.eye_(torch.empty(shape)), torch.nn.init.eye_(torch.empty(shape)))


@pytest.mark.parametrize("shape", [(6, 4, 3), (6, 2, 3, 5), (6, 9, 2, 3, 1)])
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_dirac_is_torchs(shape, groups):
    ours, theirs = (module.dirac_(torch.empty(shape), groups) for module in (init, torch.nn.init))
    assert torch.equal(ours, theirs)


def test_parameters_that_need_gradients_are_filled_in_place():
    parameter = torch.nn.Parameter(torch.empty(4, 4))
    for name in [*SEEDED, "trunc_normal_", "zeros_", "ones_", "eye_"]:
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
    ("call", "message"),
    [
        (lambda: init.kaiming_normal_(torch.empty(3)), r"2 or more dimensions, got shape \(3,\)"),
        (lambda: init.xavier_normal_(torch.empty(3)), r"2 or more dimensions, got shape \(3,\)"),
        (lambda: init.orthogonal_(torch.empty(3)), "2 or more dimensions"),
        (lambda: init.kaiming_normal_(torch.empty(3, 3), mode="fan_on"), "unknown mode 'fan_on'"),
        (lambda: init.kaiming_normal_(torch.empty(3, 0)), r"shape \(3, 0\) has no elements"),
        (lambda: init.eye_(torch.empty(3)), r"2 dimensions, got shape \(3,\)"),
        (lambda: init.dirac_(torch.empty(3, 3)), r"3, 4 or 5 dimensions, got shape \(3, 3\)"),
        (lambda: init.dirac_(torch.empty(4, 3, 3), groups=3), "groups=3, expected a divisor of the 4 output channels"),
        (lambda: init.trunc_normal_(torch.empty(3), std=0), "std=0, .* expected std > 0"),
        (lambda: init.trunc_normal_(torch.empty(3), a=1.0, b=1.0), "a=1.0, b=1.0, expected .* a < b"),
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
    for (_, layer), (_, standard) in zip(weighted_layers(model), weighted_layers(noise), strict=True):
        torch.testing.assert_close(layer.weight, standard.weight * std(*layer.weight.shape))


class Furnished(torch.nn.Module):
    """Linear layers among all that a recipe must leave alone."""

    def __init__(self):
        super().__init__()
        one, two = (torch.nn.Sequential(Linear(fan_in, 16), *self.furniture()) for fan_in in (20, 16))
        self.layers = torch.nn.Sequential(one, two, Linear(16, 10, bias=False))

    def furniture(self):
        return torch.nn.BatchNorm1d(16), torch.nn.LayerNorm(16), torch.nn.PReLU(), torch.nn.Dropout(0.5)

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize("name", registry.names("init"))
def test_a_recipe_leaves_norms_and_activations_as_they_are(name):
    model = Furnished()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    linear = {f"{layer}.{kind}" for layer, _ in weighted_layers(model) for kind in ("weight", "bias")}
    model.layers[0].eval()
    modes = [module.training for module in model.modules()]
    state = torch.get_rng_state()
    apply_recipe(name, model)
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]) == (key not in linear), key
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(state, torch.get_rng_state())


def test_a_model_without_linear_layers_is_an_error():
    with pytest.raises(UserError, match=r"ReLU has no linear or convolutional layer"):
        apply_recipe("xavier", torch.nn.ReLU())


def test_dirac_lets_a_convolution_begin_by_passing_its_input_on():
    layer = Conv2d(3, 8, 3, padding=1).double()
    x = torch.randn(2, 3, 5, 5, dtype=torch.float64, generator=seeded(1))
    apply_recipe("dirac", torch.nn.Sequential(layer))
    y = layer(x).detach()
    torch.testing.assert_close(y[:, :3], x)
    assert layer.weight.detach()[3:].abs().max() <= 1 / math.sqrt(27)
    assert layer.weight.detach()[3:].std().item() == pytest.approx(1 / math.sqrt(27) / math.sqrt(3), rel=0.1)


def test_dirac_on_a_convolution_with_fewer_outputs_passes_on_the_first():
    layer = Conv2d(5, 2, 3, padding=1).double()
    x = torch.randn(2, 5, 5, 5, dtype=torch.float64, generator=seeded(1))
    apply_recipe("dirac", torch.nn.Sequential(layer))
    torch.testing.assert_close(layer(x), x[:, :2])
