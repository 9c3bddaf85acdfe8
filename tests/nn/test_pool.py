"""Pools are torch's in values, gradients, second gradients and errors, whatever the options."""

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import grad, vmap

from phase2 import nn as layers
from phase2.errors import UserError
from phase2.nn.backend import BACKENDS

SIZES = [(1, 2), (2, None), (3, 2), (3, 3), (4, 1), ((3, 2), (2, 1)), ([2], 3)]
MAX = [
    (size, stride, padding, dilation, False, ceil)
    for (size, stride), padding, dilation, ceil in product(SIZES, (0, 1), (1, 2), (False, True))
    if size != 1 or padding == 0
]
AVG = [
    (size, stride, padding, ceil, inside, divisor)
    for (size, stride), padding, ceil, inside, divisor in product(
        SIZES, (0, 1), (False, True), (False, True), (None, 5)
    )
    if size != 1 or padding == 0
]
ADAPTIVE = [1, 2, 4, 7, (3, None), (None, 5), (9, 10), (1, 13)]
POOLS = {
    "max": lambda **options: layers.MaxPool2d(3, 2, 1, **options),
    "tight max": lambda **options: layers.MaxPool2d(2, **options),
    "average": lambda **options: layers.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False, **options),
    "tight average": lambda **options: layers.AvgPool2d(2, **options),
    "global average": lambda **options: layers.AdaptiveAvgPool2d(1, **options),
    "adaptive average": lambda **options: layers.AdaptiveAvgPool2d((3, 2), **options),
}
each = pytest.mark.parametrize("build", POOLS.values(), ids=POOLS.keys())


def values_and_gradients(layer, x):
    x = x.clone().requires_grad_()
    y = layer(x)
    (g,) = torch.autograd.grad(y, x, torch.linspace(-1, 2, y.numel(), dtype=y.dtype).view_as(y))
    return y, g


def compare(name, options, x, **keywords):
    theirs = values_and_gradients(getattr(nn, name)(*options), x)
    ours = values_and_gradients(getattr(layers, name)(*options, **keywords), x)
    torch.testing.assert_close(ours, theirs, equal_nan=True, msg=lambda text: f"{name}{options} {keywords}: {text}")


def images(*shape, seed=0):
    """Few different values, so that most windows have a tie."""
    return torch.randint(-2, 3, shape, generator=torch.Generator().manual_seed(seed)).double()


@pytest.mark.parametrize("backend", BACKENDS)
def test_max_pool2d_matches_torch_for_every_option(backend):
    for options in MAX:
        compare("MaxPool2d", options, images(2, 3, 9, 10), backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_avg_pool2d_matches_torch_for_every_option(backend):
    for options in AVG:
        compare("AvgPool2d", options, images(2, 3, 9, 10), backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_adaptive_avg_pool2d_matches_torch_for_every_output_size(backend):
    for size in ADAPTIVE:
        compare("AdaptiveAvgPool2d", (size,), images(2, 3, 9, 10), backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_pools_of_sequences_match_torch(backend):
    x = images(2, 3, 11)
    for size, stride, padding, ceil in product((2, 3, (4,)), (None, 1, 2), (0, 1), (False, True)):
        compare("MaxPool1d", (size, stride, padding, 2, False, ceil), x, backend=backend)
        compare("AvgPool1d", (size, stride, padding, ceil, not ceil), x, backend=backend)
    for size in (1, 4, 11, 12):
        compare("AdaptiveAvgPool1d", (size,), x, backend=backend)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data())
def test_any_window_on_any_image_matches_torch(data):
    height, width = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    size = data.draw(st.tuples(st.integers(1, height), st.integers(1, width)))
    stride = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    padding = tuple(data.draw(st.integers(0, k // 2)) for k in size)
    ceil, inside = data.draw(st.booleans()), data.draw(st.booleans())
    x = images(1, 2, height, width, seed=data.draw(st.integers(0, 99)))
    compare("MaxPool2d", (size, stride, padding, 1, False, ceil), x)
    compare("AvgPool2d", (size, stride, padding, ceil, inside), x)
    compare("AdaptiveAvgPool2d", (stride,), x)


@pytest.mark.parametrize("shape", [(3, 6, 8), (0, 3, 6, 8), (1, 1, 6, 8)])
@each
def test_an_image_alone_and_an_empty_batch_are_inputs_too(build, shape):
    x = images(*shape)
    assert torch.equal(build()(x), build(backend="fused")(x))


def test_the_first_of_equal_maxima_in_reading_order_gets_the_gradient():
    x = torch.tensor([[0.0, 0, 5], [0, 5, 0], [5, 0, 5]]).view(1, 1, 3, 3).requires_grad_()
    layers.MaxPool2d(3)(x).backward(torch.ones(1, 1, 1, 1))
    assert x.grad.flatten().tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("where", [[(0, 0)], [(4, 4)], [(0, 1), (1, 0)], [(2, 3), (3, 2), (3, 3)]])
def test_nan_is_the_largest_and_gets_the_gradient_as_in_torch(where):
    x = images(1, 1, 6, 6)
    for row, column in where:
        x[..., row, column] = torch.nan
    compare("MaxPool2d", (3, 2, 1), x)
    compare("MaxPool2d", (2,), x)
    compare("AvgPool2d", (3, 2, 1), x)


@each
def test_gradients_and_second_gradients_are_right_by_finite_differences(build):
    x = torch.randperm(2 * 5 * 6, generator=torch.Generator().manual_seed(1)).view(1, 2, 5, 6).double() / 10
    x.requires_grad_()
    assert torch.autograd.gradcheck(build(), (x,))
    assert torch.autograd.gradgradcheck(build(), (x,))


@each
def test_lanes_under_vmap_are_the_lanes_one_by_one(build):
    layer, x = build(), images(3, 2, 2, 6, 8)
    weight = torch.randn(3, 2, 1, 1, dtype=torch.float64)

    def loss(weight, x):
        return layer(x * weight).square().sum()

    alone = torch.stack([grad(loss)(w, lane) for w, lane in zip(weight, x, strict=True)])
    torch.testing.assert_close(vmap(grad(loss))(weight, x), alone)
    torch.testing.assert_close(vmap(layer, 2, 2)(x), torch.stack([layer(lane) for lane in x.unbind(2)], 2))


@each
def test_the_gradient_through_lanes_is_the_sum_of_theirs(build):
    layer, x, weight = build(), images(3, 2, 2, 6, 8), torch.ones(2, 1, 1, dtype=torch.float64, requires_grad=True)
    through = vmap(lambda lane: layer(lane * weight).sum())(x).sum()
    alone = sum(layer(lane * weight).sum() for lane in x)
    torch.testing.assert_close(*(torch.autograd.grad(loss, weight) for loss in (through, alone)))


@each
def test_both_backends_agree_in_single_precision(build):
    x = torch.randn(2, 3, 6, 8, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(*(values_and_gradients(build(backend=backend), x) for backend in BACKENDS))


@pytest.mark.parametrize(
    ("name", "options"),
    [("MaxPool2d", (2, 3, 1)), ("AvgPool2d", (2,)), ("AdaptiveAvgPool2d", ((1, None),)), ("MaxPool1d", (3,))],
)
def test_a_layer_is_printed_as_torch_prints_it_and_has_no_state(name, options):
    ours, theirs = getattr(layers, name)(*options), getattr(nn, name)(*options)
    assert repr(ours).replace(", count_include_pad=True", "").replace(", ceil_mode=False", "") == repr(theirs).replace(
        ", ceil_mode=False", ""
    )
    assert not ours.state_dict()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("name", "options", "shape", "message"),
    [
        ("MaxPool2d", (2, 0), (1, 1, 4, 4), "stride should not be zero"),
        ("MaxPool2d", (2, 2, 2), (1, 1, 4, 4), "pad should be at most half of effective kernel size, but got pad=2"),
        ("MaxPool2d", (2, 2, -1), (1, 1, 4, 4), "pad must be non-negative, but got pad: -1"),
        ("MaxPool2d", (5,), (1, 1, 4, 4), "Output size is too small"),
        ("MaxPool2d", ((2, 2, 2),), (1, 1, 4, 4), r"kernel_size=\(2, 2, 2\), expected an integer or 2 integers"),
        ("MaxPool2d", (2,), (4, 4), r"input has shape \(4, 4\), expected \(batch, channels, height, width\)"),
        ("MaxPool2d", (2,), (1, 0, 4, 4), "none of them empty but the batch"),
        ("MaxPool2d", (0, 1), (1, 1, 4, 4), "kernel_size=0"),
        ("MaxPool2d", (2, 2, 0, 0), (1, 1, 4, 4), "dilation=0"),
        ("MaxPool2d", (2, 2, 0, 1, True), (1, 1, 4, 4), "return_indices=True is not supported"),
        ("AvgPool2d", (2, 2, 0, False, True, 0), (1, 1, 4, 4), "divisor must be not zero"),
        ("AvgPool1d", (2,), (1, 1, 4, 4), r"expected \(batch, channels, length\)"),
        ("AdaptiveAvgPool2d", (0,), (1, 1, 4, 4), "output_size=0, expected at least 1"),
        ("AdaptiveAvgPool2d", (1,), (1, 1, 0, 4), r"shape \(1, 1, 0, 4\)"),
    ],
)
def test_errors_say_what_was_wrong(backend, name, options, shape, message):
    with pytest.raises(UserError, match=f"^{name}: .*{message}"):
        getattr(layers, name)(*options, backend=backend)(torch.zeros(shape))


def test_integers_and_an_unknown_backend_are_refused():
    with pytest.raises(UserError, match=r"input is torch.int64, expected floating point: use input.float\(\)"):
        layers.AvgPool2d(2)(torch.zeros(1, 1, 4, 4, dtype=torch.int64))
    with pytest.raises(UserError, match="unknown backend 'fusd': did you mean 'fused'"):
        layers.AdaptiveAvgPool2d(1, backend="fusd")
