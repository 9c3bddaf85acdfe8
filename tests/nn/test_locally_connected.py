"""A locally connected layer is a convolution with a kernel of its own at every place."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn.functional import pad

from phase2.errors import UserError
from phase2.nn.convolution.conv import Conv2d
from phase2.nn.convolution.locally_connected import LocallyConnected2d
from phase2.nn.initial.kaiming import kaiming

OPTIONS = [
    {},
    {"stride": 2, "padding": 1},
    {"stride": (2, 3), "padding": (2, 0)},
    {"padding": 1, "bias": False},
]
each = pytest.mark.parametrize("options", OPTIONS, ids=str)


def layer(options, size=(6, 5), channels=(2, 3), kernel=(3, 2), seed=0):
    torch.manual_seed(seed)
    return LocallyConnected2d(*channels, size, kernel, **options, dtype=torch.float64)


def images(*shape):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def by_loops(local, x):
    """y at every place, from its window and its own kernel."""
    _, (kh, kw), (sh, sw), ((top, bottom), (left, right)) = local.geometry[:4]
    height, width = local.geometry.output
    padded, y = pad(x, (left, right, top, bottom)), x.new_zeros(len(x), local.out_channels, height, width)
    for i in range(height):
        for j in range(width):
            rows = slice((i * width + j) * local.out_channels, (i * width + j + 1) * local.out_channels)
            window = padded[:, None, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            y[:, :, i, j] = (window * local.weight[rows]).sum((2, 3, 4))
            y[:, :, i, j] += 0 if local.bias is None else local.bias[rows]
    return y


@each
def test_values_and_gradients_are_those_of_plain_loops(options):
    local, x = layer(options), images(4, 2, 6, 5).requires_grad_()
    wanted = [x, *local.parameters()]
    ours, theirs = local(x), by_loops(local, x)
    torch.testing.assert_close(ours, theirs)
    G = images(*ours.shape)
    torch.testing.assert_close(torch.autograd.grad(ours, wanted, G), torch.autograd.grad(theirs, wanted, G))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.data())
def test_with_one_kernel_at_all_places_it_is_the_convolution(data):
    size = data.draw(st.tuples(st.integers(3, 7), st.integers(3, 7)))
    kernel = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    stride, padding = (data.draw(st.tuples(st.integers(low, 2), st.integers(low, 2))) for low in (1, 0))
    conv = Conv2d(2, 3, kernel, stride, padding, dtype=torch.float64)
    local = LocallyConnected2d(2, 3, size, kernel, stride, padding, dtype=torch.float64)
    x = images(2, 2, *size)
    y = conv(x)
    places = y[0, 0].numel()
    with torch.no_grad():
        local.weight.copy_(conv.weight.repeat(places, 1, 1, 1))
        local.bias.copy_(conv.bias.repeat(places))
    torch.testing.assert_close(local(x), y)
    G = images(*y.shape)
    shared = torch.autograd.grad(y, [conv.weight, conv.bias], G)
    alone = torch.autograd.grad(local(x), [local.weight, local.bias], G)
    summed = [gradient.unflatten(0, (places, -1)).sum(0) for gradient in alone]
    torch.testing.assert_close(summed, list(shared))


@each
def test_gradients_and_second_gradients_are_right_by_finite_differences(options):
    local = layer(options, size=(3, 4), channels=(1, 2), kernel=(2, 2))
    names, parameters = zip(*local.named_parameters(), strict=True)

    def forward(x, *values):
        return functional_call(local, dict(zip(names, values, strict=True)), (x,))

    arguments = (images(2, 1, 3, 4).requires_grad_(), *parameters)
    assert torch.autograd.gradcheck(forward, arguments)
    assert torch.autograd.gradgradcheck(forward, arguments)


@each
def test_lanes_under_vmap_are_the_layers_one_by_one(options):
    lanes = [layer(options, seed=seed) for seed in range(3)]
    x, base = images(3, 2, 2, 6, 5), layer(options).to("meta")
    parameters, _ = stack_module_state(lanes)

    def loss(parameters, x):
        return functional_call(base, parameters, (x,)).square().sum()

    for in_dims, inputs in ((0, x), (None, x[0])):
        stacked = vmap(grad(loss), (0, in_dims))(parameters, inputs)
        for lane, local in enumerate(lanes):
            here = inputs[lane] if in_dims == 0 else inputs
            alone = torch.autograd.grad(local(here).square().sum(), list(local.parameters()))
            for name, gradient in zip(stacked, alone, strict=True):
                torch.testing.assert_close(stacked[name][lane], gradient)


def test_initializations_see_its_fan_in():
    local = LocallyConnected2d(8, 16, 10, 3)
    assert local.weight.abs().max() <= 1 / 72**0.5 < local.weight.abs().max() * 1.01
    kaiming(local, generator=torch.Generator().manual_seed(0), batch=torch.zeros(1, 8, 10, 10))
    assert local.weight.std().item() == pytest.approx((2 / 72) ** 0.5, rel=0.02)
    assert not local.bias.any()


def test_it_says_what_it_is_and_that_it_trains_alone():
    local = LocallyConnected2d(2, 3, (6, 5), 3, 2, 1)
    assert repr(local) == (
        "LocallyConnected2d(2, 3, input_size=(6, 5), kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), bias=True)"
    )
    assert [tuple(p.shape) for p in local.parameters()] == [(27, 2, 3, 3), (27,)]
    assert not local.lockstep


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 3, 5, 3), "in_channels=0, expected at least 1"),
        ((2, 0, 5, 3), "out_channels=0, expected at least 1"),
        ((2, 3, 5, 6), "Kernel size can't be greater than actual input size"),
        ((2, 3, 5, 3, 0), "non-positive stride is not supported"),
        ((2, 3, 5, 3, 1, -1), "negative padding is not supported"),
        ((2, 3, (5, 5, 5), 3), "expected input_size to be a single integer value or a list of 2"),
    ],
)
def test_options_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        LocallyConnected2d(*arguments)


@pytest.mark.parametrize("shape", [(1, 2, 5, 4), (2, 5, 5), (1, 3, 5, 5)])
def test_an_input_of_another_shape_is_refused(shape):
    with pytest.raises(UserError, match=r"expected \(batch, 2, 5, 5\)") as error:
        LocallyConnected2d(2, 3, 5, 3)(torch.zeros(shape))
    assert str(shape) in str(error.value)
