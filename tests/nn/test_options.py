"""Options are read when they are used: one that is set on a layer counts as if the layer had been made with it."""

import inspect

import pytest
import torch

from phase2 import nn
from phase2.errors import UserError
from phase2.nn.backend import BACKENDS

IMAGES, SEQUENCES, VECTORS = (torch.randn(shape, dtype=torch.float64) for shape in ((3, 4, 9, 8), (3, 4, 9), (5, 4)))
LABELS = torch.tensor([0, 1, 2, 3, 0])
CASES = [  # the layer, how it is made, the option with its new value, the input
    *(
        (kind, {"kernel_size": 3} | given, option, value, x)
        for kind, x in ((nn.MaxPool1d, SEQUENCES), (nn.MaxPool2d, IMAGES))
        for given, option, value in (
            ({"stride": 2}, "kernel_size", 2),
            ({}, "stride", 1),
            ({}, "padding", 1),
            ({}, "dilation", 2),
            ({"stride": 4}, "ceil_mode", True),
        )
    ),
    *(
        (kind, {"kernel_size": 3, "stride": 2} | given, option, value, x)
        for kind, x in ((nn.AvgPool1d, SEQUENCES), (nn.AvgPool2d, IMAGES))
        for given, option, value in (
            ({}, "kernel_size", 2),
            ({}, "stride", (1,)),
            ({}, "padding", (1,)),
            ({"stride": 4}, "ceil_mode", True),
            ({"padding": 1}, "count_include_pad", False),
        )
    ),
    (nn.AvgPool2d, {"kernel_size": 3}, "divisor_override", 5, IMAGES),
    (nn.AdaptiveAvgPool1d, {"output_size": 3}, "output_size", 4, SEQUENCES),
    (nn.AdaptiveAvgPool2d, {"output_size": 3}, "output_size", (None, 5), IMAGES),
    *(
        (kind, {"in_channels": 4, "out_channels": 6, "kernel_size": 3} | given, option, value, x)
        for kind, x in ((nn.Conv1d, SEQUENCES), (nn.Conv2d, IMAGES))
        for given, option, value in (
            ({}, "stride", 2),
            ({}, "padding", 1),
            ({}, "padding", "same"),
            ({}, "dilation", 2),
            ({"padding": 1}, "padding_mode", "circular"),
            ({"padding_mode": "reflect"}, "padding", 2),
            ({"padding_mode": "replicate", "padding": "same"}, "dilation", 2),
        )
    ),
    *(
        (kind, {"num_features": 4} | given, option, value, x)
        for kind, x in ((nn.BatchNorm1d, VECTORS), (nn.BatchNorm2d, IMAGES))
        for given, option, value in (
            ({}, "eps", 0.5),
            ({}, "momentum", 0.7),
            ({}, "momentum", None),
        )
    ),
    (nn.LayerNorm, {"normalized_shape": 8}, "eps", 0.5, IMAGES),
    (nn.LayerNorm, {"normalized_shape": 8, "elementwise_affine": False}, "normalized_shape", (9, 8), IMAGES),
    (nn.RMSNorm, {"normalized_shape": 8}, "eps", 0.5, IMAGES),
    (nn.RMSNorm, {"normalized_shape": 8, "elementwise_affine": False}, "normalized_shape", (9, 8), IMAGES),
    (nn.GroupNorm, {"num_groups": 2, "num_channels": 4}, "eps", 0.5, IMAGES),
    (nn.GroupNorm, {"num_groups": 2, "num_channels": 4}, "num_groups", 4, IMAGES),
    (nn.Dropout, {}, "p", 0.9, IMAGES),
    (nn.Dropout2d, {}, "p", 0.9, IMAGES),
    (nn.CrossEntropyLoss, {}, "reduction", "sum", VECTORS),
    (nn.CrossEntropyLoss, {}, "ignore_index", 2, VECTORS),
    (nn.CrossEntropyLoss, {}, "label_smoothing", 0.2, VECTORS),
    (nn.CrossEntropyLoss, {}, "weight", torch.arange(4, dtype=torch.float64), VECTORS),
    (nn.MSELoss, {}, "reduction", "none", VECTORS),
    (nn.LeakyReLU, {}, "negative_slope", 0.3, VECTORS),
    (nn.ELU, {}, "alpha", 0.3, VECTORS),
    (nn.GELU, {}, "approximate", "tanh", VECTORS),
    (nn.Softplus, {}, "beta", 0.3, VECTORS),
    (nn.Softplus, {}, "threshold", 0.3, VECTORS),
    (nn.Swish, {}, "beta", 0.3, VECTORS),
]
BOTH = [
    (kind, given | more, option, value, x)
    for kind, given, option, value, x in CASES
    for more in (
        [{"backend": backend} for backend in BACKENDS] if "backend" in inspect.signature(kind).parameters else [{}]
    )
]


def outcome(layer, x) -> list[torch.Tensor]:
    """What a step of training gives and leaves behind, and what evaluation gives then."""
    others = {nn.CrossEntropyLoss: [LABELS], nn.MSELoss: [x.cos()]}.get(type(layer), [])
    torch.manual_seed(0)
    results = [layer.train()(x * 3, *others), *layer.buffers()]
    return [*results, layer.eval()(x, *others)]


@pytest.mark.parametrize(
    ("kind", "given", "option", "value", "x"), BOTH, ids=[f"{k.__name__} {g} {o}" for k, g, o, *_ in BOTH]
)
def test_an_option_set_later_counts_as_one_given(kind, given, option, value, x):
    later, as_it_was, given_at_once = (kind(**g).double() for g in (given, given, given | {option: value}))
    for layer in (as_it_was, given_at_once):
        layer.load_state_dict(later.state_dict(), strict=False)
    setattr(later, option, value)
    results, before, wanted = (outcome(layer, x) for layer in (later, as_it_was, given_at_once))
    torch.testing.assert_close(results, wanted, rtol=0, atol=0)
    assert any(a.shape != b.shape or not torch.equal(a, b) for a, b in zip(results, before, strict=False))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_statistics_are_kept_from_when_they_are_to_be_as_in_torch(backend, given, momentum):
    ours = nn.BatchNorm2d(4, momentum=momentum, track_running_stats=given, dtype=torch.float64, backend=backend)
    theirs = torch.nn.BatchNorm2d(4, momentum=momentum, track_running_stats=given, dtype=torch.float64)
    ours.load_state_dict(theirs.state_dict())
    for layer in (ours, theirs):
        layer(IMAGES)
        layer.track_running_stats = not given
    torch.testing.assert_close(outcome(ours, IMAGES), outcome(theirs, IMAGES))
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


@pytest.mark.parametrize(
    ("layer", "option", "value", "x", "message"),
    [
        (nn.MaxPool2d(2), "stride", 0, IMAGES, "stride should not be zero"),
        (nn.MaxPool2d(2, backend="fused"), "return_indices", True, IMAGES, "return_indices=True is not supported"),
        (nn.AvgPool2d(2), "divisor_override", 0, IMAGES, "divisor must be not zero"),
        (nn.AdaptiveAvgPool2d(2), "output_size", 0, IMAGES, "output_size=0, expected at least 1"),
        (nn.Conv2d(4, 6, 3).double(), "padding", -1, IMAGES, "negative padding is not supported: padding=-1"),
        (nn.Conv2d(4, 6, 3).double(), "padding_mode", "zero", IMAGES, "padding_mode='zero'"),
        (nn.Conv2d(4, 6, 3).double(), "backend", "fusd", IMAGES, "unknown backend 'fusd'"),
        (nn.BatchNorm2d(4).double(), "eps", 0, IMAGES, "BatchNorm2d: eps=0"),
        (nn.BatchNorm2d(4).double(), "momentum", 2, IMAGES, "BatchNorm2d: momentum=2"),
        (nn.LayerNorm(8).double(), "normalized_shape", (9, 8), IMAGES, r"weight has shape \(8,\), expected normalized"),
        (nn.RMSNorm(8).double(), "eps", -1, IMAGES, "RMSNorm: eps=-1"),
        (nn.GroupNorm(2, 4).double(), "num_groups", 3, IMAGES, "num_groups=3 does not divide"),
        (nn.Dropout(), "p", 2, IMAGES, "p=2, expected a probability"),
        (nn.Dropout2d(), "inplace", True, IMAGES, "Dropout2d: inplace=True is not supported"),
        (nn.ReLU(), "inplace", True, VECTORS, "inplace=True is not supported"),
        (nn.Softplus(), "beta", 0, VECTORS, "beta=0, expected above 0"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, torch.nn.Module) else None,
)
def test_an_option_that_is_wrong_later_is_named_when_it_is_used(layer, option, value, x, message):
    layer(x)
    setattr(layer, option, value)
    with pytest.raises(UserError, match=message):
        layer(x)
