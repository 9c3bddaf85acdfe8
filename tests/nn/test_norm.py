"""Each norm against torch's: options, shapes, gradients, second derivatives, hard numbers, bad input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import grad, jacrev, vmap

from phase2.errors import UserError
from phase2.nn.normalization.batch import BatchNorm1d, BatchNorm2d
from phase2.nn.normalization.group import GroupNorm
from phase2.nn.normalization.layer import LayerNorm
from phase2.nn.normalization.rms import RMSNorm

CASES = {
    "layer": (LayerNorm, (6,), {}, (4, 6)),
    "layer, one sample": (LayerNorm, (6,), {}, (6,)),
    "layer over two dimensions": (LayerNorm, ((3, 5),), {"eps": 1e-3}, (2, 4, 3, 5)),
    "layer without bias": (LayerNorm, ([6],), {"bias": False}, (2, 3, 6)),
    "layer without affine": (LayerNorm, (6,), {"elementwise_affine": False}, (4, 6)),
    "layer, empty batch": (LayerNorm, (6,), {}, (0, 6)),
    "layer over nothing": (LayerNorm, (0,), {}, (2, 0)),
    "layer over one": (LayerNorm, (1,), {}, (4, 1)),
    "rms": (RMSNorm, (6,), {}, (4, 6)),
    "rms over two dimensions": (RMSNorm, ((3, 5),), {"eps": 1e-3}, (2, 3, 5)),
    "rms without affine": (RMSNorm, (6,), {"elementwise_affine": False}, (2, 3, 6)),
    "rms, empty batch": (RMSNorm, (6,), {}, (0, 6)),
    "group": (GroupNorm, (2, 6), {}, (3, 6, 4, 5)),
    "group without space": (GroupNorm, (2, 6), {"eps": 1e-2}, (3, 6)),
    "group of one channel": (GroupNorm, (6, 6), {}, (3, 6, 4)),
    "one group": (GroupNorm, (1, 6), {"affine": False}, (3, 6, 4)),
    "group, empty batch": (GroupNorm, (2, 6), {}, (0, 6, 4)),
    "batch": (BatchNorm1d, (6,), {}, (5, 6)),
    "batch with length": (BatchNorm1d, (6,), {"eps": 1e-3, "momentum": 0.3}, (5, 6, 4)),
    "batch of one with length": (BatchNorm1d, (6,), {}, (1, 6, 4)),
    "batch without affine": (BatchNorm1d, (6,), {"affine": False}, (5, 6)),
    "batch without statistics": (BatchNorm1d, (6,), {"track_running_stats": False}, (5, 6)),
    "batch with the plain average": (BatchNorm1d, (6,), {"momentum": None}, (5, 6)),
    "batch, empty": (BatchNorm1d, (6,), {}, (0, 6)),
    "batch 2d": (BatchNorm2d, (3,), {}, (4, 3, 5, 6)),
    "batch 2d, momentum 1": (BatchNorm2d, (3,), {"momentum": 1.0}, (4, 3, 5, 6)),
    "batch 2d, no height": (BatchNorm2d, (3,), {}, (4, 3, 0, 6)),
}
each = pytest.mark.parametrize(("kind", "arguments", "options", "shape"), CASES.values(), ids=CASES.keys())
each_full = pytest.mark.parametrize(
    ("kind", "arguments", "options", "shape"),
    [case for name, case in CASES.items() if 0 not in case[3] and "over one" not in name],
)


def pair(kind, arguments, options, dtype=torch.float64):
    """Our layer and torch's with the same random parameters."""
    theirs = getattr(torch.nn, kind.__name__)(*arguments, **options, dtype=dtype)
    for parameter in theirs.parameters():
        torch.nn.init.uniform_(parameter, 0.5, 1.5)
    ours = kind(*arguments, **options, dtype=dtype)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def value_and_gradients(layer, x):
    layer.zero_grad()
    x = x.clone().requires_grad_()
    y = layer(x)
    (y * torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view(y.shape)).sum().backward()
    return [y, x.grad, *(p.grad for p in layer.parameters())]


@each
def test_norm_matches_torch_in_value_gradients_and_statistics(kind, arguments, options, shape):
    ours, theirs = pair(kind, arguments, options)
    for step in range(3):
        x = torch.randn(shape, dtype=torch.float64) * (step + 1) + step
        torch.testing.assert_close(value_and_gradients(ours, x), value_and_gradients(theirs, x), rtol=1e-9, atol=1e-11)
        torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=1e-12, atol=1e-12)
    ours.eval(), theirs.eval()
    x = torch.randn(shape, dtype=torch.float64)
    torch.testing.assert_close(value_and_gradients(ours, x), value_and_gradients(theirs, x), rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=1e-12, atol=1e-12)


@each
def test_fresh_weights_are_torchs_and_load_both_ways(kind, arguments, options, shape):
    ours, theirs = kind(*arguments, **options), getattr(torch.nn, kind.__name__)(*arguments, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value)
    theirs.load_state_dict(ours.state_dict())
    ours.load_state_dict(theirs.state_dict())


@each_full
def test_first_and_second_derivatives_pass_gradcheck(kind, arguments, options, shape):
    layer, _ = pair(kind, arguments, options)
    x = torch.randn([min(size, 3) if d == 0 and len(shape) > 1 else size for d, size in enumerate(shape)]).double()
    x = x.requires_grad_()
    names = [name for name, _ in layer.named_parameters()]
    buffers = {name: buffer.clone() for name, buffer in layer.named_buffers()}

    def call(x, *parameters):
        state = dict(zip(names, parameters, strict=True)) | {name: b.clone() for name, b in buffers.items()}
        return torch.func.functional_call(layer, state, (x,))

    inputs = (x, *layer.parameters())
    assert torch.autograd.gradcheck(call, inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(call, inputs, fast_mode=True)


@pytest.mark.parametrize(
    ("layer", "shape", "dims"),
    [
        (LayerNorm(6, dtype=torch.float64), (4, 6), (1,)),
        (RMSNorm(6, dtype=torch.float64), (4, 6), (1,)),
        (GroupNorm(2, 2, dtype=torch.float64), (3, 2, 5), (2,)),
        (BatchNorm2d(2, dtype=torch.float64), (3, 2, 2, 2), (0, 2, 3)),
    ],
    ids=lambda case: type(case).__name__,
)
def test_third_and_fourth_derivatives_are_those_of_the_formula(layer, shape, dims):
    """Not torch's, whose third derivative of layer_norm is wrong."""
    x = torch.randn(shape, dtype=torch.float64)

    def formula(x):
        d = x if isinstance(layer, RMSNorm) else x - x.mean(dims, keepdim=True)
        eps = layer.eps or torch.finfo(x.dtype).eps
        return d / (d.square().mean(dims, keepdim=True) + eps).sqrt()

    def derivatives(function):
        inputs = x.clone().requires_grad_()
        value, found = function(inputs).sin().sum(), []
        for _ in range(4):
            found += torch.autograd.grad(value, inputs, create_graph=True)
            value = (found[-1] * x.cos()).sum()
        return found

    torch.testing.assert_close(derivatives(layer), derivatives(formula), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (LayerNorm(4, dtype=torch.float64), (3, 4)),
        (RMSNorm(4, dtype=torch.float64), (3, 4)),
        (GroupNorm(2, 4, dtype=torch.float64), (3, 4, 2)),
        (BatchNorm1d(4, track_running_stats=False, dtype=torch.float64), (3, 4)),
        (BatchNorm2d(4, track_running_stats=False, dtype=torch.float64), (2, 4, 2, 2)),
    ],
    ids=lambda case: type(case).__name__,
)
def test_torch_func_transforms_match_torchs(layer, shape):
    sizes = (layer.num_groups, layer.num_channels) if isinstance(layer, GroupNorm) else (4,)
    options = {"track_running_stats": False} if "Batch" in type(layer).__name__ else {}
    theirs = getattr(torch.nn, type(layer).__name__)(*sizes, **options, dtype=torch.float64)
    x = torch.randn(shape, dtype=torch.float64)
    xs = torch.randn(3, *shape, dtype=torch.float64)

    def loss(layer):
        return lambda x: layer(x).sin().sum()

    for transform in (
        lambda f: grad(loss(f))(x),
        lambda f: jacrev(f)(x),
        lambda f: jacrev(grad(loss(f)))(x),
        lambda f: vmap(grad(loss(f)))(xs),
        lambda f: vmap(vmap(f))(xs.unsqueeze(0)),
        lambda f: vmap(f, in_dims=1, out_dims=1)(xs.movedim(0, 1)),
    ):
        torch.testing.assert_close(transform(layer), transform(theirs), rtol=1e-9, atol=1e-10)


@given(st.integers(1, 5), st.integers(2, 7), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
@settings(max_examples=25, deadline=None)
def test_layer_norm_gives_mean_zero_and_variance_one_whatever_the_input(rows, features, mean, std):
    x = torch.randn(rows, features, dtype=torch.float64)
    x = (x - x.mean(-1, keepdim=True)) / x.std(-1, correction=0, keepdim=True) * std + mean
    y = LayerNorm(features, eps=1e-12, dtype=torch.float64)(x)
    torch.testing.assert_close(y.mean(-1), torch.zeros(rows).double(), rtol=0, atol=1e-8)
    torch.testing.assert_close(y.var(-1, correction=0), torch.ones(rows).double(), rtol=1e-5, atol=0)


@pytest.mark.parametrize(("mean", "std"), [(100, 0.01), (1e4, 1.0), (1e4, 0.1), (-1e6, 1.0)])
@pytest.mark.parametrize(
    ("layer", "shape", "dims"),
    [
        (LayerNorm(1000, eps=1e-12), (8, 1000), (1,)),
        (GroupNorm(2, 4, eps=1e-12), (8, 2, 2, 500), (2, 3)),
        (BatchNorm1d(8, eps=1e-12), (1000, 8), (0,)),
        (BatchNorm2d(4, eps=1e-12), (16, 4, 8, 8), (0, 2, 3)),
    ],
    ids=lambda case: type(case).__name__,
)
def test_float32_is_right_to_the_last_digits_where_the_mean_dwarfs_the_deviation(layer, shape, dims, mean, std):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * std + mean
    exact = x.double() - x.double().mean(dims, keepdim=True)
    exact = exact / exact.square().mean(dims, keepdim=True).sqrt()
    y = layer(x.flatten(1, 2) if isinstance(layer, GroupNorm) else x).view(shape)
    torch.testing.assert_close(y.double(), exact, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e4, 1e9])
@each_full
def test_a_constant_input_gives_the_bias_and_finite_gradients(kind, arguments, options, shape, value):
    if kind is RMSNorm:
        value = 0.0  # uncentred: no other constant is special
    layer, _ = pair(kind, arguments, options, torch.float32)
    y, *gradients = value_and_gradients(layer, torch.full(shape, value))
    if layer.bias is None:
        assert (y == 0).all()
    else:
        assert set(y.flatten().tolist()) == set(layer.bias.flatten().tolist())
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_running_variance_is_right_where_the_mean_dwarfs_the_deviation():
    layer = BatchNorm1d(3, momentum=1.0)
    x = torch.randn(1000, 3) * 0.01 + 100
    layer(x)
    torch.testing.assert_close(layer.running_var.double(), x.double().var(0), rtol=1e-5, atol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("same", [True, False])
@pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight")  # torch's rms_norm, of its speed
@each_full
def test_half_types_give_torchs_dtypes_and_nearly_its_values(kind, arguments, options, shape, dtype, same):
    ours, theirs = pair(kind, arguments, options, torch.float32)
    if same:
        ours, theirs = ours.to(dtype), theirs.to(dtype)
    x = (torch.randn(shape) * 1e-2).to(dtype)
    for mode in (True, False):
        y, expected = ours.train(mode)(x), theirs.train(mode)(x)
        assert y.dtype == expected.dtype == dtype
        torch.testing.assert_close(y, expected, rtol=2e-2, atol=2e-2)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=1e-2, atol=1e-2)


@pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight")
@each_full
def test_autocast_gives_torchs_dtypes_and_values(kind, arguments, options, shape):
    ours, theirs = pair(kind, arguments, options, torch.float32)
    for x in (torch.randn(shape), torch.randn(shape).bfloat16()):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y, expected = ours(x), theirs(x)
        assert y.dtype == expected.dtype
        tolerance = 1e-5 if x.dtype == torch.float32 else 2e-2
        torch.testing.assert_close(y, expected, rtol=tolerance, atol=tolerance)


@each
def test_the_input_is_left_alone_and_strides_follow_it(kind, arguments, options, shape):
    layer, theirs = pair(kind, arguments, options, torch.float32)
    x = torch.randn(shape)
    x = x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 and kind is BatchNorm2d else x
    before = x.clone()
    assert layer(x).stride() == theirs(x).stride()
    assert torch.equal(x, before)


def test_batch_norm_ignores_its_statistics_while_it_trains():
    layer = BatchNorm1d(3)
    layer.running_mean.fill_(torch.nan)
    assert layer(torch.randn(4, 3)).isfinite().all()
    assert layer.eval()(torch.randn(4, 3)).isnan().all()


def test_reset_parameters_starts_batch_norm_anew():
    layer = BatchNorm1d(3)
    fresh = {name: value.clone() for name, value in layer.state_dict().items()}
    layer(torch.randn(4, 3))
    torch.nn.init.normal_(layer.weight)
    layer.reset_parameters()
    torch.testing.assert_close(dict(layer.state_dict()), fresh, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (BatchNorm1d(3), (1, 3)),
        (BatchNorm1d(3), (1, 3, 1)),
        (BatchNorm2d(3), (1, 3, 1, 1)),
        (BatchNorm1d(3, track_running_stats=False).eval(), (1, 3)),
        (GroupNorm(4, 4), (1, 4)),
    ],
)
def test_one_value_a_channel_raises_torchs_message(layer, shape):
    sizes = (4, 4) if isinstance(layer, GroupNorm) else (3,)
    with pytest.raises(ValueError, match="Expected more than 1 value") as expected:
        getattr(torch.nn, type(layer).__name__)(*sizes)(torch.randn(shape))
    with pytest.raises(UserError) as error:
        layer(torch.randn(shape))
    assert str(error.value) == str(expected.value)


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (LayerNorm(3), (2, 4), r"LayerNorm: input has shape \(2, 4\), expected \(\*, 3\)"),
        (LayerNorm((2, 3)), (3,), r"input has shape \(3,\), expected \(\*, 2, 3\)"),
        (RMSNorm(3), (), r"RMSNorm: input has shape \(\), expected \(\*, 3\)"),
        (GroupNorm(2, 4), (4,), r"GroupNorm: input has shape \(4,\), expected \(batch, 4, \*\)"),
        (GroupNorm(2, 4), (2, 6, 3), r"input has shape \(2, 6, 3\), expected \(batch, 4, \*\)"),
        (GroupNorm(2, 4), (2, 4, 0), r"\(2, 4, 0\), expected \(batch, 4, \*\) with no empty dimension"),
        (BatchNorm1d(3), (3,), r"\(3,\), expected \(batch, 3\) or \(batch, 3, length\)"),
        (BatchNorm1d(3), (2, 4), r"BatchNorm1d: input has shape \(2, 4\), expected \(batch, 3\)"),
        (BatchNorm1d(3), (2, 3, 4, 5), r"\(2, 3, 4, 5\), expected \(batch, 3\) or"),
        (BatchNorm2d(3), (2, 3, 4), r"\(2, 3, 4\), expected \(batch, 3, height, width\)"),
        (BatchNorm2d(3).eval(), (2, 1, 4, 4), r"\(2, 1, 4, 4\), expected \(batch, 3, height, width\)"),
    ],
)
def test_a_wrong_shape_is_named_beside_the_expected_one(layer, shape, expected):
    with pytest.raises(UserError, match=expected):
        layer(torch.randn(shape))


@each_full
def test_an_input_of_another_dtype_is_named(kind, arguments, options, shape):
    layer = kind(*arguments, **options)
    with pytest.raises(UserError, match=r"torch.int64, expected floating point: use input.float\(\)"):
        layer(torch.ones(shape, dtype=torch.int64))
    if layer.state_dict():
        with pytest.raises(UserError, match=r"input is torch.float64, expected the layer's torch.float32"):
            layer(torch.ones(shape, dtype=torch.float64))


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: LayerNorm(3, eps=0), "LayerNorm: eps=0, expected a number above 0"),
        (lambda: RMSNorm(3, eps=-1e-5), "RMSNorm: eps=-1e-05"),
        (lambda: GroupNorm(1, 3, eps=float("nan")), "GroupNorm: eps=nan"),
        (lambda: BatchNorm1d(3, eps=0), "BatchNorm1d: eps=0"),
        (lambda: BatchNorm2d(3, momentum=1.5), r"BatchNorm2d: momentum=1.5, expected a number in \[0, 1\]"),
        (lambda: BatchNorm1d(3, momentum=-0.1), "BatchNorm1d: momentum=-0.1"),
        (lambda: BatchNorm1d(0), "num_features=0, expected at least 1"),
        (lambda: GroupNorm(3, 4), "num_groups=3 does not divide num_channels=4"),
        (lambda: GroupNorm(0, 4), "num_groups=0 does not divide"),
        (lambda: LayerNorm(()), r"normalized_shape=\(\), expected the sizes"),
    ],
)
def test_a_wrong_argument_is_named(build, expected):
    with pytest.raises(UserError, match=expected):
        build()


def test_repr_shows_the_options_as_torch_does():
    assert repr(LayerNorm((2, 3), bias=False)) == repr(torch.nn.LayerNorm((2, 3), bias=False))
    assert repr(RMSNorm(3, eps=1e-3)) == repr(torch.nn.RMSNorm(3, eps=1e-3))
    assert repr(GroupNorm(2, 4)) == repr(torch.nn.GroupNorm(2, 4))
    assert repr(BatchNorm1d(3, momentum=None)) == repr(torch.nn.BatchNorm1d(3, momentum=None))
