"""PReLU, whose slope learns: against torch.nn's in value, both gradients and their derivatives; lanes; bad input."""

import pytest
import torch
from torch.func import grad, jacrev, vmap

from phase2.errors import UserError
from phase2.nn.activation.prelu import PReLU, prelu

SHAPES = [((4, 3), 3), ((4, 3, 5), 3), ((2, 3, 2, 2), 3), ((4, 3), 1), ((7,), 1), ((), 1), ((0, 3), 3)]


def slopes(lanes):
    return torch.linspace(-0.5, 1.5, lanes * 3, dtype=torch.float64).view(lanes, 3)


def value_and_derivatives(layer, x):
    """y; both gradients; and the gradients of a function of those."""
    x = x.clone().requires_grad_()
    y = layer(x)
    first = torch.autograd.grad(y, (x, layer.weight), (x * x).cos(), create_graph=True)
    second = torch.autograd.grad((first[0] * x.detach().cos()).sum() + first[1].sin().sum(), (x, layer.weight))
    return y, *first, *second


@pytest.mark.parametrize(("shape", "channels"), SHAPES)
def test_value_gradients_and_second_derivatives_match_torch(shape, channels):
    x = torch.randn(shape, dtype=torch.float64) * 20
    x.flatten()[:2] = 0
    pair = PReLU(channels, 0.3).double(), torch.nn.PReLU(channels, 0.3).double()
    result, expected = (value_and_derivatives(layer, x) for layer in pair)
    torch.testing.assert_close(result, expected, rtol=1e-10, atol=1e-12)


def test_derivatives_pass_gradcheck():
    x = torch.randn(3, 3, 2, dtype=torch.float64, requires_grad=True)
    weight = slopes(1)[0].requires_grad_()
    assert torch.autograd.gradcheck(prelu, (x, weight))
    assert torch.autograd.gradgradcheck(prelu, (x, weight))


@pytest.mark.parametrize(("x_dim", "weight_dim"), [(0, 0), (1, 0), (None, 0), (2, None), (0, 1)])
def test_lanes_equal_each_alone(x_dim, weight_dim):
    x, weight = torch.randn(3, 3, 3, dtype=torch.float64), slopes(3)
    x, weight = (t[0] if dim is None else t for t, dim in ((x, x_dim), (weight, weight_dim)))
    gradients = grad(lambda x, weight: prelu(x, weight).pow(2).sum(), argnums=(0, 1))
    batched = vmap(gradients, in_dims=(x_dim, weight_dim))(x, weight)
    for lane in range(3):
        own = (t if dim is None else t.select(dim, lane) for t, dim in ((x, x_dim), (weight, weight_dim)))
        torch.testing.assert_close(tuple(part[lane] for part in batched), gradients(*own), rtol=1e-12, atol=1e-12)


def test_hessian_under_torch_func_is_that_of_the_written_out_function():
    x, weight = torch.randn(5, 3, dtype=torch.float64), slopes(1)[0]
    result = jacrev(grad(lambda w: prelu(x, w).pow(3).sum()))(weight)
    expected = jacrev(grad(lambda w: (x.clamp(min=0) + w * x.clamp(max=0)).pow(3).sum()))(weight)
    torch.testing.assert_close(result, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_autocast_lowers_as_in_torch(dtype):
    x = torch.randn(4, 3, dtype=dtype, requires_grad=True)
    results = []
    for layer in (PReLU(3, dtype=dtype), torch.nn.PReLU(3, dtype=dtype)):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = layer(x)
        results.append([y, *torch.autograd.grad(y.sum(), (x, layer.weight))])
    torch.testing.assert_close(*results, rtol=2**-7, atol=1e-6)


def test_compiles_into_one_graph():
    layer, x = PReLU(3), torch.randn(4, 3, 5, requires_grad=True)
    y = torch.compile(layer, fullgraph=True, backend="aot_eager")(x)
    torch.testing.assert_close(y, layer(x))
    results = [torch.autograd.grad(z.sum(), (x, layer.weight)) for z in (y, layer(x))]
    torch.testing.assert_close(*results)


def test_weights_load_both_ways_and_repr_is_torchs():
    mine, theirs = PReLU(3, init=0.1), torch.nn.PReLU(3)
    assert repr(mine) == repr(theirs)
    theirs.load_state_dict(mine.state_dict())
    assert theirs.weight.tolist() == pytest.approx([0.1] * 3)
    theirs.reset_parameters()
    mine.load_state_dict(theirs.state_dict())
    assert mine.weight.tolist() == [0.25] * 3
    mine.reset_parameters()
    assert mine.weight.tolist() == pytest.approx([0.1] * 3)


def test_bad_input_is_named():
    with pytest.raises(UserError, match="num_parameters=0, expected 1 or the number of channels"):
        PReLU(0)
    with pytest.raises(UserError, match=r"prelu: input has shape \(4, 5\) and weight \(3,\)"):
        PReLU(3)(torch.zeros(4, 5))
    with pytest.raises(UserError, match=r"prelu: input has shape \(3,\) and weight \(3,\)"):
        PReLU(3)(torch.zeros(3))
    with pytest.raises(UserError, match=r"prelu: input of shape .* is torch.int32"):
        PReLU()(torch.zeros(3, dtype=torch.int32))
