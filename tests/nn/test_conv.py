"""Conv1d and Conv2d against torch's and against plain loops: values, gradients, initial bits, derivatives, memory."""

from functools import partial
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.nn.convolution import convolve
from phase2.nn.convolution.conv import Conv, Conv1d, Conv2d
from phase2.nn.convolution.convolve import conv1d, conv2d
from phase2.nn.weighted import Weighted

MODES = ("zeros", "reflect", "replicate", "circular")


def randn(*shape, dtype=torch.float64):
    return torch.randn(shape, dtype=dtype, requires_grad=True)


def results(function, tensors):
    """The value and the gradient of a nonlinear loss by each tensor."""
    y = function(*tensors)
    return [y, *torch.autograd.grad(y.pow(2).sum(), [t for t in tensors if t is not None])]


def assert_same(ours, theirs, tensors, tolerance=1e-11):
    torch.testing.assert_close(results(ours, tensors), results(theirs, tensors), rtol=tolerance, atol=tolerance)


@st.composite
def options(draw, dims):
    """(keyword arguments of a layer, shape of an input that the kernel fits)."""
    number = st.integers(1, 3)
    groups, kernel, dilation = draw(number), draw(st.tuples(*[number] * dims)), draw(st.tuples(*[number] * dims))
    stride = draw(st.tuples(*[number] * dims))
    mode = draw(st.sampled_from(MODES))
    padding = draw(st.one_of(st.sampled_from(["same", "valid"]), st.tuples(*[st.integers(0, 3)] * dims)))
    if padding == "same":  # torch warns of even kernels, which have a test of their own
        stride, kernel = (1,) * dims, tuple(k - (k == 2) for k in kernel)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    sizes = [draw(st.integers(max(r, 4), max(r, 4) + 4)) for r in reach]
    layer = {
        "in_channels": groups * draw(number),
        "out_channels": groups * draw(number),
        "kernel_size": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "bias": draw(st.booleans()),
        "padding_mode": mode,
        "dtype": torch.float64,
    }
    batch = draw(st.sampled_from([(), (0,), (1,), (3,)]))
    return layer, (*batch, layer["in_channels"], *sizes)


@pytest.mark.parametrize("dims", [1, 2])
def test_convolutions_match_torch_for_every_option(dims):
    ours, theirs = [(Conv1d, torch.nn.Conv1d), (Conv2d, torch.nn.Conv2d)][dims - 1]

    @given(options(dims))
    @settings(max_examples=120, deadline=None)
    def check(case):
        arguments, shape = case
        layers = [ours(**arguments), ours(**arguments, backend="fused"), theirs(**arguments)]
        x = randn(*shape)
        found = []
        for layer in layers:
            layer.load_state_dict(layers[-1].state_dict())
            y = layer(x)
            found.append([y, *torch.autograd.grad(y.pow(2).sum(), [x, *layer.parameters()])])
            assert repr(layer) == repr(layers[-1])
        for one in found[:-1]:
            torch.testing.assert_close(one, found[-1], rtol=1e-11, atol=1e-11)

    check()


@pytest.mark.parametrize("kernel", [(2, 4), (4, 3)])
def test_same_padding_of_an_even_kernel_has_the_extra_row_at_the_end(kernel):
    x, weight = randn(2, 3, 5, 6), randn(4, 3, *kernel)
    edges = [n for k in reversed(kernel) for n in ((k - 1) // 2, k - 1 - (k - 1) // 2)]
    assert_same(lambda x, w: conv2d(x, w, padding="same"), lambda x, w: F.conv2d(F.pad(x, edges), w), (x, weight))


def plain_loops(x, weight, bias, stride, padding, dilation, groups):
    """The definition, number by number."""
    batch, _, height, width = x.shape
    out, per_group, kh, kw = weight.shape
    y = torch.zeros(
        batch,
        out,
        (height + 2 * padding - dilation * (kh - 1) - 1) // stride + 1,
        (width + 2 * padding - dilation * (kw - 1) - 1) // stride + 1,
        dtype=x.dtype,
    )
    for n, o, i, j in product(*map(range, y.shape)):
        first = o // (out // groups) * per_group
        y[n, o, i, j] = bias[o]
        for c, k, l in product(range(per_group), range(kh), range(kw)):
            row, column = i * stride + k * dilation - padding, j * stride + l * dilation - padding
            if 0 <= row < height and 0 <= column < width:
                y[n, o, i, j] += weight[o, c, k, l] * x[n, first + c, row, column]
    return y


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), [(1, 0, 1, 1), (2, 1, 1, 2), (1, 2, 2, 1)])
def test_conv2d_is_the_plain_loops(stride, padding, dilation, groups):
    x, weight, bias = torch.randn(2, 2, 5, 6), torch.randn(4, 2 // groups, 2, 3), torch.randn(4)
    arguments = (x.double(), weight.double(), bias.double(), stride, padding, dilation, groups)
    torch.testing.assert_close(conv2d(*arguments), plain_loops(*arguments), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("images", [1, 2, 5])
@pytest.mark.parametrize("groups", [1, 2])
def test_parts_of_the_batch_add_up(monkeypatch, images, groups):
    """However many images are unfolded at once."""
    x, weight, bias = randn(5, 4, 6, 6), randn(6, 4 // groups, 3, 3), randn(6)
    monkeypatch.setattr(convolve, "_UNFOLDED", images * 4 * 9 * 36)
    ours, theirs = (partial(f, padding=1, groups=groups) for f in (conv2d, F.conv2d))
    assert_same(ours, theirs, (x, weight, bias))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("weight_too", [True, False])
def test_channels_last_gives_the_same_numbers_in_torchs_layout(kernel, stride, weight_too):
    x, weight, bias = randn(2, 4, 6, 6), randn(8, 4, kernel, kernel), randn(8)
    ours, theirs = (partial(f, stride=stride, padding=kernel // 2) for f in (conv2d, F.conv2d))
    x_last, weight_last = (t.detach().to(memory_format=torch.channels_last).requires_grad_() for t in (x, weight))
    last = (x_last, weight_last if weight_too else weight, bias)
    torch.testing.assert_close(results(ours, last), results(ours, (x, weight, bias)), rtol=1e-12, atol=1e-12)
    assert [t.stride() for t in results(ours, last)[:2]] == [t.stride() for t in results(theirs, last)[:2]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [1, 3])
def test_same_seed_gives_torchs_initial_bits(dtype, bias, groups):
    for ours, theirs in ((Conv1d, torch.nn.Conv1d), (Conv2d, torch.nn.Conv2d)):
        made = []
        for kind in (ours, theirs):
            torch.manual_seed(3)
            made.append(kind(6, 9, 3, groups=groups, bias=bias, dtype=dtype).state_dict())
        assert list(made[0]) == list(made[1])
        assert all(torch.equal(made[0][name], made[1][name]) for name in made[1])


def test_weights_load_both_ways():
    ours, theirs = Conv2d(3, 4, 3), torch.nn.Conv2d(3, 4, 3)
    theirs.load_state_dict(ours.state_dict())
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 5, 5)
    torch.testing.assert_close(ours(x), theirs(x))


def test_a_convolution_is_a_weighted_layer_that_lanes_do_not_quicken():
    for layer in (Conv1d(3, 4, 3), Conv2d(3, 4, 3)):
        assert isinstance(layer, Weighted)
        assert isinstance(layer, Conv)
        assert not layer.lockstep


@pytest.mark.parametrize("groups", [1, 2])
def test_first_and_second_derivatives_pass_gradcheck(groups):
    x, weight, bias = randn(2, 2, 4, 4), randn(4, 2 // groups, 3, 2), randn(4)
    function = partial(conv2d, stride=(2, 1), padding=1, dilation=(1, 2), groups=groups)
    assert torch.autograd.gradcheck(function, (x, weight, bias))
    assert torch.autograd.gradgradcheck(function, (x, weight, bias))
    assert torch.autograd.gradgradcheck(lambda *t: conv1d(*t, 2, 1), (randn(2, 2, 5), randn(3, 2, 3), randn(3)))


def test_only_the_gradients_that_are_needed_are_computed(monkeypatch):
    """The first layer of a network has no use for its input's."""
    folds = []
    fold = convolve.fold
    monkeypatch.setattr(convolve, "fold", lambda *arguments: folds.append(1) or fold(*arguments))
    layer = Conv2d(2, 3, 3)
    layer(torch.randn(2, 2, 5, 5)).sum().backward()
    assert folds == []
    layer(torch.randn(2, 2, 5, 5, requires_grad=True)).sum().backward()
    assert folds == [1]


def test_only_x_and_weight_are_kept_for_backward():
    kept = []
    x, weight, bias = randn(2, 3, 8, 8), randn(4, 3, 3, 3), randn(4)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.data_ptr()) or t, lambda t: t):
        conv2d(x, weight, bias, padding=1)
    assert kept == [x.data_ptr(), weight.data_ptr()]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_types_are_as_near_to_the_exact_value_as_torchs(dtype):
    half = [t.detach().to(dtype).requires_grad_() for t in (randn(8, 8, 8, 8), randn(8, 8, 3, 3), randn(8))]
    exact = results(partial(F.conv2d, padding=1), [t.detach().double().requires_grad_() for t in half])
    ours, theirs = (results(partial(f, padding=1), half) for f in (conv2d, F.conv2d))
    for right, mine, torchs in zip(exact, ours, theirs, strict=True):
        assert mine.dtype == dtype
        assert (mine - right).norm() <= 1.5 * (torchs - right).norm()


def test_autocast_gives_torchs_types_and_values():
    layers = [Conv2d(3, 4, 3), torch.nn.Conv2d(3, 4, 3)]
    layers[1].load_state_dict(layers[0].state_dict())
    x, found = torch.randn(2, 3, 6, 6), []
    for layer in layers:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = layer(x)
        y.sum().backward()
        found.append([y, *(p.grad for p in layer.parameters())])
    assert found[0][0].dtype == torch.bfloat16
    torch.testing.assert_close(*found, rtol=2e-2, atol=2e-2)
