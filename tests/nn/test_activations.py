"""Each activation against torch's: value, first and second derivative, extremes, dtypes, lanes, compilation."""

import math

import pytest
import torch
from derivatives import DERIVATIVES
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import grad, jacrev, vmap

from phase2 import nn as ours
from phase2 import registry
from phase2.errors import UserError
from phase2.nn import gelu, softplus, swish

LAYERS = {
    "relu": (ours.ReLU(), torch.nn.ReLU()),
    "leaky_relu": (ours.LeakyReLU(), torch.nn.LeakyReLU()),
    "leaky_relu 0.2": (ours.LeakyReLU(0.2), torch.nn.LeakyReLU(0.2)),
    "leaky_relu -1.5": (ours.LeakyReLU(-1.5), torch.nn.LeakyReLU(-1.5)),
    "elu": (ours.ELU(), torch.nn.ELU()),
    "elu 0.5": (ours.ELU(0.5), torch.nn.ELU(0.5)),
    "selu": (ours.SELU(), torch.nn.SELU()),
    "gelu": (ours.GELU(), torch.nn.GELU()),
    "gelu tanh": (ours.GELU("tanh"), torch.nn.GELU("tanh")),
    "silu": (ours.SiLU(), torch.nn.SiLU()),
    "mish": (ours.Mish(), torch.nn.Mish()),
    "softplus": (ours.Softplus(), torch.nn.Softplus()),
    "softplus 2, 5": (ours.Softplus(2.0, 5.0), torch.nn.Softplus(2.0, 5.0)),
    "tanh": (ours.Tanh(), torch.nn.Tanh()),
    "sigmoid": (ours.Sigmoid(), torch.nn.Sigmoid()),
}
each = pytest.mark.parametrize(("layer", "theirs"), LAYERS.values(), ids=LAYERS.keys())
EDGES = torch.tensor([0.0, -0.0, 1e-8, -1e-8, -1e4, 1e4], dtype=torch.float64)


def value_and_derivatives(layer, x):
    x = x.clone().requires_grad_()
    y = layer(x)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad((first * x.detach().cos()).sum(), x)
    return y, first, second


@each
def test_value_and_two_derivatives_match_torch(layer, theirs):
    x = torch.cat([torch.linspace(-40, 40, 1601, dtype=torch.float64), EDGES])
    expected = value_and_derivatives(theirs, x)
    for result, wanted in zip(value_and_derivatives(layer, x), expected, strict=True):
        finite = wanted.isfinite()  # torch's own derivatives of Mish overflow at 1e4
        assert finite[:-2].all()
        torch.testing.assert_close(result[finite], wanted[finite], rtol=1e-10, atol=1e-12)


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=20))
@settings(max_examples=20, deadline=None)
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
def test_infinite_inputs_have_torchs_values_and_its_derivatives_where_it_has_them(layer, theirs):
    x = torch.tensor([-math.inf, math.inf], dtype=torch.float64)
    y, first, _ = value_and_derivatives(layer, x)
    y_t, first_t, _ = value_and_derivatives(theirs, x)
    torch.testing.assert_close(y, y_t, equal_nan=True)
    known = ~first_t.isnan()
    torch.testing.assert_close(first[known], first_t[known])


@each
@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float32, 1e-5), (torch.bfloat16, 2**-7)])
def test_lower_precision_matches_torch_within_a_rounding(layer, theirs, dtype, rtol):
    x = torch.linspace(-10, 10, 201).to(dtype).requires_grad_()
    results, expected = ((y, *torch.autograd.grad(y.sum(), x)) for y in (layer(x), theirs(x)))
    torch.testing.assert_close(results, expected, rtol=rtol, atol=2e-6)


@each
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_autocast_gives_torchs_dtypes(layer, theirs, dtype):
    x = torch.randn(10, dtype=dtype, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y, expected = layer(x), theirs(x)
    assert y.dtype == expected.dtype
    torch.testing.assert_close(y, expected, rtol=2**-7, atol=1e-6)
    assert torch.autograd.grad(y.sum(), x)[0].dtype == dtype


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
def test_jacobian_is_the_diagonal_of_the_derivative(layer, theirs):
    x = torch.randn(6, dtype=torch.float64)
    torch.testing.assert_close(jacrev(layer)(x), value_and_derivatives(theirs, x)[1].diag())
    torch.testing.assert_close(vmap(jacrev(layer))(x), value_and_derivatives(theirs, x)[1])


@each
def test_compiles_into_one_graph_with_the_same_results(layer, theirs):
    torch.compiler.reset()
    x = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    y = torch.compile(layer, fullgraph=True, backend="aot_eager")(x)
    expected = layer(x)
    torch.testing.assert_close(y, expected)
    torch.testing.assert_close(*(torch.autograd.grad(z.sum(), x) for z in (y, expected)))


@each
def test_strided_and_empty_inputs(layer, theirs):
    x = torch.randn(6, 8, 4, dtype=torch.float64)
    for view in (x.mT, x[::2, :, 1:3], x[:, :1].expand(6, 5, 4), x[:0], x[0, 0, 0]):
        expected = value_and_derivatives(theirs, view)
        torch.testing.assert_close(value_and_derivatives(layer, view), expected, rtol=1e-10, atol=1e-12)


@each
def test_third_derivative_matches_torch(layer, theirs):
    x = torch.linspace(-3.1, 3.1, 20, dtype=torch.float64)
    wanted, result = (vmap(grad(grad(grad(f))))(x) for f in (theirs, layer))
    torch.testing.assert_close(result, wanted, rtol=1e-9, atol=1e-10)


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


@pytest.mark.parametrize("name", DERIVATIVES)
def test_formulas_are_each_others_derivatives(name):
    x = torch.linspace(-5, 5, 200, dtype=torch.float64)  # even: 0, where some have a corner, is no point of it
    h = 1e-5
    (y_l, first_l, _), (_, first, second), (y_r, first_r, _) = (DERIVATIVES[name].at(z) for z in (x - h, x, x + h))
    torch.testing.assert_close(first, (y_r - y_l) / (2 * h), rtol=1e-7, atol=1e-8)
    torch.testing.assert_close(second, (first_r - first_l) / (2 * h), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("beta", [0.5, 1.702, 10.0])
def test_swish_and_its_derivatives_are_those_of_x_times_sigmoid(beta):
    x = torch.linspace(-12, 12, 401, dtype=torch.float64)
    expected = value_and_derivatives(lambda x: x * torch.sigmoid(beta * x), x)
    torch.testing.assert_close(value_and_derivatives(ours.Swish(beta), x), expected, rtol=1e-10, atol=1e-12)
    assert torch.autograd.gradgradcheck(ours.Swish(beta), torch.randn(4, dtype=torch.float64, requires_grad=True))


def test_swish_is_silu_at_beta_1_and_near_gelu_at_1_702():
    x = torch.linspace(-6, 6, 401, dtype=torch.float64)
    assert torch.equal(ours.Swish()(x), ours.SiLU()(x))
    assert torch.equal(ours.GELUSigmoid()(x), swish(x, 1.702))
    assert 0.01 < (ours.GELUSigmoid()(x) - gelu(x)).abs().max() < 0.021
    assert torch.equal(ours.GELUTanh()(x), gelu(x, "tanh"))


def test_nan_stays_visible():
    for layer, _ in LAYERS.values():
        assert layer(torch.tensor([torch.nan])).isnan().all()


@pytest.mark.parametrize("name", ["ReLU", "LeakyReLU", "ELU", "SELU", "SiLU", "Mish"])
def test_inplace_is_rejected_by_name(name):
    with pytest.raises(UserError, match="inplace=True is not supported"):
        getattr(ours, name)(inplace=True)


def test_unknown_approximation_is_named():
    for build in (ours.GELU, lambda approximate: gelu(torch.zeros(1), approximate)):
        with pytest.raises(UserError, match="unknown approximate of gelu 'tan'"):
            build("tan")


@pytest.mark.parametrize("beta", [0.0, -1.0, math.nan])
def test_softplus_names_a_beta_that_is_not_positive(beta):
    for build in (ours.Softplus, lambda beta: softplus(torch.zeros(1), beta)):
        with pytest.raises(UserError, match=f"oftplus: beta={beta}, expected above 0"):
            build(beta)


@each
def test_integer_input_is_named(layer, theirs):
    with pytest.raises(UserError, match=r"input of shape \(3,\) is torch.int64, expected floating point"):
        layer(torch.arange(3))


def test_every_registered_activation_is_built_by_name():
    for name in registry.names("activation"):
        assert registry.load("activation", name)()(torch.zeros(2)).shape == (2,)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_the_fused_gelu_is_the_same_function(approximate: str):
    x = torch.randn(50, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    y, fused = (ours.GELU(approximate, backend=backend)(x) for backend in ("scratch", "fused"))
    torch.testing.assert_close(y, fused)
    one, other = (torch.autograd.grad(each.sum(), x)[0] for each in (y, fused))
    torch.testing.assert_close(one, other)
    with pytest.raises(UserError, match="unknown backend 'fast'"):
        ours.GELU(backend="fast")
