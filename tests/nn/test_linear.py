"""Linear against torch.nn.Linear: values, gradients, initial bits, and every way vmap may batch it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import functional_call, grad, jacrev, stack_module_state, vmap

from phase2.errors import UserError
from phase2.nn import Linear, linear


def pair(in_features=5, out_features=3, bias=True, dtype=torch.float64):
    ours = Linear(in_features, out_features, bias, dtype=dtype)
    theirs = torch.nn.Linear(in_features, out_features, bias, dtype=dtype)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5,), (4, 5), (2, 3, 5), (0, 5), (2, 1, 3, 5)])
def test_linear_matches_torch_in_value_and_gradients(shape, bias):
    ours, theirs = pair(bias=bias)
    results = []
    for layer in (ours, theirs):
        torch.manual_seed(1)
        x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
        y = layer(x)
        y.pow(2).sum().backward()
        results.append([y, x.grad, *(p.grad for p in layer.parameters())])
    torch.testing.assert_close(results[0], results[1], rtol=1e-12, atol=1e-12)


@given(st.integers(0, 6), st.integers(1, 6), st.integers(1, 6), st.booleans())
@settings(max_examples=30, deadline=None)
def test_linear_matches_torch_for_any_size(rows, in_features, out_features, bias):
    ours, theirs = pair(in_features, out_features, bias)
    x = torch.randn(rows, in_features, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [True, False])
def test_same_seed_gives_torchs_initial_bits(dtype, bias):
    for sizes in [(1, 1), (7, 3), (64, 32), (3, 100)]:
        torch.manual_seed(3)
        ours = Linear(*sizes, bias=bias, dtype=dtype)
        torch.manual_seed(3)
        theirs = torch.nn.Linear(*sizes, bias=bias, dtype=dtype)
        for name, value in theirs.state_dict().items():
            assert torch.equal(ours.state_dict()[name], value)


def test_a_layer_without_inputs_returns_its_bias():
    layer = Linear(0, 3)
    assert torch.equal(layer(torch.empty(2, 0)), layer.bias.expand(2, 3))


def test_weights_load_both_ways_and_repr_is_torchs():
    ours, theirs = pair()
    theirs.load_state_dict(ours.state_dict())
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("bias", [True, False])
def test_first_and_second_derivatives_pass_gradcheck(bias):
    ours, _ = pair(bias=bias)
    x = torch.randn(2, 4, 5, dtype=torch.float64, requires_grad=True)
    inputs = (x, *ours.parameters())
    assert torch.autograd.gradcheck(linear, inputs)
    assert torch.autograd.gradgradcheck(linear, inputs)


def test_input_gradient_is_not_computed_when_not_needed(monkeypatch):
    """The first layer of a network has no use for it: backward must do one product, not two."""
    ours, _ = pair()
    products = []
    matmul = torch.Tensor.__matmul__
    monkeypatch.setattr(torch.Tensor, "__matmul__", lambda a, b: products.append(a.shape) or matmul(a, b))
    ours(torch.randn(4, 5, dtype=torch.float64)).sum().backward()
    assert products == [(3, 4)]  # Gᵀ x


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("x_dim", [None, 0, 1, 2])
def test_lanes_equal_each_layer_alone(bias, x_dim):
    layers = [Linear(5, 3, bias, dtype=torch.float64) for _ in range(4)]
    parameters, _ = stack_module_state(layers)
    xs = torch.randn(4, 6, 5, dtype=torch.float64, requires_grad=True)
    x = xs[0].detach() if x_dim is None else xs.movedim(0, x_dim)
    y = vmap(lambda p, x: functional_call(layers[0], p, (x,)), in_dims=(0, x_dim))(parameters, x)
    y.pow(2).sum().backward()
    for lane, layer in enumerate(layers):
        alone = xs[0 if x_dim is None else lane].detach().requires_grad_()
        expected = layer(alone)
        expected.pow(2).sum().backward()
        torch.testing.assert_close(y[lane], expected, rtol=0, atol=1e-12)
        for name, p in layer.named_parameters():
            torch.testing.assert_close(parameters[name].grad[lane], p.grad, rtol=0, atol=1e-12)
        if x_dim is not None:
            torch.testing.assert_close(xs.grad[lane], alone.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize("in_dims", [(None, 0, 0), (0, 0, 0), (0, None, None), (0, None, 0), (None, None, 0)])
def test_vmap_over_any_arguments_equals_a_loop_and_has_right_derivatives(in_dims):
    shapes = [(4, 5), (3, 5), (3,)]
    arguments = [
        torch.randn(*([] if dim is None else [2]), *shape, dtype=torch.float64, requires_grad=True)
        for dim, shape in zip(in_dims, shapes, strict=True)
    ]
    mapped = vmap(linear, in_dims=in_dims)

    def loop(*arguments):
        rows = [[a if d is None else a[i] for a, d in zip(arguments, in_dims, strict=True)] for i in range(2)]
        return torch.stack([torch.nn.functional.linear(*row) for row in rows])

    torch.testing.assert_close(mapped(*arguments), loop(*arguments), rtol=0, atol=1e-12)
    assert torch.autograd.gradcheck(mapped, arguments)
    assert torch.autograd.gradgradcheck(mapped, arguments)


@pytest.mark.parametrize("bias", [True, False])
def test_nested_vmap_equals_a_double_loop(bias):
    x = torch.randn(2, 4, 5, dtype=torch.float64)
    W = torch.randn(2, 3, 6, 5, dtype=torch.float64)
    b = torch.randn(2, 3, 6, dtype=torch.float64) if bias else None
    inner = vmap(linear, in_dims=(None, 0, 0 if bias else None))
    y = vmap(inner, in_dims=(0, 0, 0 if bias else None))(x, W, b)
    for i in range(2):
        for j in range(3):
            expected = torch.nn.functional.linear(x[i], W[i, j], None if b is None else b[i, j])
            torch.testing.assert_close(y[i, j], expected, rtol=0, atol=1e-12)


def test_works_under_grad_jacrev_and_per_sample_gradients():
    x, W, b = (torch.randn(s, dtype=torch.float64) for s in [(4, 5), (3, 5), (3,)])

    def loss(function):
        return lambda W, x: function(x, W, b).pow(3).sum()

    theirs, ours = loss(torch.nn.functional.linear), loss(linear)
    for transform in (
        lambda f: grad(f)(W, x),
        lambda f: jacrev(grad(f))(W, x),
        lambda f: vmap(grad(f), in_dims=(None, 0))(W, x),
    ):
        torch.testing.assert_close(transform(ours), transform(theirs), rtol=1e-12, atol=1e-12)


def test_autocast_gives_torchs_dtypes_and_values():
    ours, theirs = pair(dtype=torch.float32)
    x = torch.randn(4, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y, expected = ours(x), theirs(x)
    y.sum().backward()
    expected.sum().backward()
    assert torch.equal(y, expected)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)


@pytest.mark.parametrize("shape", [(4, 6), (), (6,)])
def test_wrong_in_features_is_named(shape):
    with pytest.raises(UserError, match=r"input has shape .*expected \(\*, 5\)"):
        Linear(5, 3)(torch.randn(shape))


def test_integer_input_is_named():
    with pytest.raises(UserError, match=r"shape \(2, 5\) is torch.int64, expected floating point"):
        Linear(5, 3)(torch.ones(2, 5, dtype=torch.int64))
