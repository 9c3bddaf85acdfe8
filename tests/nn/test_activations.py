"""Each activation against torch's: value, first and second derivative, extremes, lanes, memory."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import grad, vmap

import phase2.nn as ours
from phase2 import registry
from phase2.errors import UserError

LAYERS = {
    "relu": (ours.ReLU(), torch.nn.ReLU()),
    "leaky_relu": (ours.LeakyReLU(), torch.nn.LeakyReLU()),
    "leaky_relu 0.2": (ours.LeakyReLU(0.2), torch.nn.LeakyReLU(0.2)),
    "elu": (ours.ELU(), torch.nn.ELU()),
    "elu 0.5": (ours.ELU(0.5), torch.nn.ELU(0.5)),
    "gelu": (ours.GELU(), torch.nn.GELU()),
    "gelu tanh": (ours.GELU("tanh"), torch.nn.GELU("tanh")),
    "silu": (ours.SiLU(), torch.nn.SiLU()),
    "tanh": (ours.Tanh(), torch.nn.Tanh()),
    "sigmoid": (ours.Sigmoid(), torch.nn.Sigmoid()),
}
each = pytest.mark.parametrize(("layer", "theirs"), LAYERS.values(), ids=LAYERS.keys())


def value_and_derivatives(layer, x):
    x = x.clone().requires_grad_()
    y = layer(x)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad((first * x.detach().cos()).sum(), x)
    return y, first, second


@each
def test_value_and_two_derivatives_match_torch(layer, theirs):
    x = torch.cat([torch.linspace(-12, 12, 401), torch.tensor([0.0, -0.0, 1e-8, -1e-8])]).double()
    expected = value_and_derivatives(theirs, x)
    torch.testing.assert_close(value_and_derivatives(layer, x), expected, rtol=1e-10, atol=1e-12)


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None)
def test_any_finite_input_matches_torch(values):
    x = torch.tensor(values, dtype=torch.float64)
    for layer, theirs in LAYERS.values():
        expected = value_and_derivatives(theirs, x)
        torch.testing.assert_close(value_and_derivatives(layer, x)[:2], expected[:2], rtol=1e-10, atol=1e-12)


@each
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_extreme_inputs_have_finite_values_and_derivatives(layer, theirs, dtype):
    x = torch.tensor([-1e30, -1e4, -100, 100, 1e4, 1e30], dtype=dtype)
    for result in value_and_derivatives(layer, x):
        assert result.isfinite().all()
        assert result.dtype == dtype


@each
def test_derivatives_pass_gradcheck(layer, theirs):
    x = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(layer, x)
    assert torch.autograd.gradgradcheck(layer, x)


@each
@pytest.mark.parametrize("dim", [0, 1, 2])
def test_lanes_equal_each_alone(layer, theirs, dim):
    x = torch.randn(3, 4, 5, dtype=torch.float64, requires_grad=True)
    y = vmap(layer, in_dims=dim, out_dims=dim)(x)
    y.pow(2).sum().backward()
    alone = x.detach().clone().requires_grad_()
    expected = layer(alone)
    expected.pow(2).sum().backward()
    assert torch.equal(y, expected)
    assert torch.equal(x.grad, alone.grad)


@each
def test_per_sample_second_derivatives_under_torch_func(layer, theirs):
    x = torch.randn(7, dtype=torch.float64)
    torch.testing.assert_close(vmap(grad(grad(layer)))(x), vmap(grad(grad(theirs)))(x), rtol=1e-10, atol=1e-12)


@each
def test_one_tensor_is_kept_for_backward(layer, theirs):
    x = torch.randn(10, requires_grad=True)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        layer(x)
    assert [t.shape for t in kept] == [(10,)]


@each
def test_repr_is_torchs_and_input_is_left_alone(layer, theirs):
    assert repr(layer) == repr(theirs)
    x = torch.randn(10)
    before = x.clone()
    layer(x)
    assert torch.equal(x, before)


def test_nan_stays_visible():
    for layer, _ in LAYERS.values():
        assert layer(torch.tensor([torch.nan])).isnan().all()


@pytest.mark.parametrize("name", ["ReLU", "LeakyReLU", "ELU", "SiLU"])
def test_inplace_is_rejected_by_name(name):
    with pytest.raises(UserError, match="inplace=True is not supported"):
        getattr(ours, name)(inplace=True)


def test_unknown_approximation_is_named():
    with pytest.raises(UserError, match="unknown approximate of gelu 'tan'"):
        ours.gelu(torch.zeros(1), "tan")


def test_every_registered_activation_is_built_by_name():
    for name in registry.names("activation"):
        assert registry.load("activation", name)()(torch.zeros(2)).shape == (2,)
