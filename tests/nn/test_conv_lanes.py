"""Convolutions under torch.func: every way vmap may batch them, and per-sample gradients."""

import pytest
import torch
import torch.nn.functional as F
from torch.func import functional_call, grad, jacrev, stack_module_state, vmap

from phase2.nn.convolution.conv import Conv1d, Conv2d
from phase2.nn.convolution.convolve import conv1d, conv2d


def randn(*shape):
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("options", [{}, {"groups": 2, "stride": 2}, {"bias": False, "padding_mode": "circular"}])
@pytest.mark.parametrize("x_dim", [None, 0, 1, 4])
def test_lanes_equal_each_layer_alone(options, x_dim):
    layers = [Conv2d(4, 6, 3, padding=1, dtype=torch.float64, **options) for _ in range(3)]
    parameters, _ = stack_module_state(layers)
    xs = randn(3, 2, 4, 5, 5)
    x = xs[0].detach() if x_dim is None else xs.movedim(0, x_dim)
    y = vmap(lambda p, x: functional_call(layers[0], p, (x,)), in_dims=(0, x_dim))(parameters, x)
    y.pow(2).sum().backward()
    for lane, layer in enumerate(layers):
        alone = xs[0 if x_dim is None else lane].detach().requires_grad_()
        expected = layer(alone)
        expected.pow(2).sum().backward()
        torch.testing.assert_close(y[lane], expected, rtol=0, atol=1e-12)
        for name, p in layer.named_parameters():
            torch.testing.assert_close(parameters[name].grad[lane], p.grad, rtol=0, atol=1e-11)
        if x_dim is not None:
            torch.testing.assert_close(xs.grad[lane], alone.grad, rtol=0, atol=1e-11)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("in_dims", [(None, 0, 0), (0, 0, 0), (0, None, None), (0, None, 0), (None, None, 0)])
def test_vmap_over_any_arguments_equals_a_loop_and_has_right_derivatives(in_dims, groups):
    shapes = [(2, 2, 3, 3), (2, 2 // groups, 2, 2), (2,)]
    arguments = [randn(*([] if d is None else [2]), *shape) for d, shape in zip(in_dims, shapes, strict=True)]
    mapped = vmap(lambda *tensors: conv2d(*tensors, 1, 1, 1, groups), in_dims=in_dims)

    def loop(*arguments):
        rows = [[a if d is None else a[i] for a, d in zip(arguments, in_dims, strict=True)] for i in range(2)]
        return torch.stack([F.conv2d(*row, 1, 1, 1, groups) for row in rows])

    torch.testing.assert_close(mapped(*arguments), loop(*arguments), rtol=0, atol=1e-12)
    assert torch.autograd.gradcheck(mapped, arguments)
    assert torch.autograd.gradgradcheck(mapped, arguments, fast_mode=True)


def test_nested_vmap_equals_a_double_loop():
    x, weight, bias = randn(2, 2, 3, 4, 4), randn(2, 3, 5, 3, 2, 2), randn(2, 3, 5)
    y = vmap(vmap(conv2d, in_dims=(None, 0, 0)))(x, weight, bias)
    for i in range(2):
        for j in range(3):
            torch.testing.assert_close(y[i, j], F.conv2d(x[i], weight[i, j], bias[i, j]), rtol=0, atol=1e-12)


def test_lanes_of_sequences_and_of_single_images():
    layers = [Conv1d(2, 3, 3, dtype=torch.float64) for _ in range(2)]
    parameters, _ = stack_module_state(layers)
    x = randn(2, 4, 2, 6)
    y = vmap(lambda p, x: functional_call(layers[0], p, (x,)))(parameters, x)
    torch.testing.assert_close(y, torch.stack([layer(a) for layer, a in zip(layers, x, strict=True)]))
    images, weight = randn(4, 2, 5, 5), randn(3, 2, 3, 3)
    torch.testing.assert_close(vmap(conv2d, in_dims=(0, None))(images, weight), F.conv2d(images, weight))


@pytest.mark.parametrize(("ours", "theirs", "dims"), [(conv1d, F.conv1d, 1), (conv2d, F.conv2d, 2)])
def test_works_under_grad_jacrev_and_per_sample_gradients(ours, theirs, dims):
    x, weight, bias = randn(3, 2, *[4] * dims), randn(3, 2, *[3] * dims), randn(3)

    def loss(function):
        return lambda w, x: function(x, w, bias, 1, 1).pow(3).sum()

    for transform in (
        lambda f: grad(f)(weight, x),
        lambda f: jacrev(grad(f))(weight, x),
        lambda f: vmap(grad(f), in_dims=(None, 0))(weight, x),
    ):
        torch.testing.assert_close(transform(loss(ours)), transform(loss(theirs)), rtol=1e-10, atol=1e-10)
