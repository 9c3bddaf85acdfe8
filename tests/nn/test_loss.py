"""cross_entropy against torch's, for class indices: values, gradients, extremes, lanes, refused arguments."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import grad, vmap

from phase2.errors import UserError
from phase2.nn.loss.cross_entropy import CrossEntropyLoss, cross_entropy
from phase2.nn.loss.reduction import REDUCTIONS

pytestmark = pytest.mark.quick

theirs = torch.nn.functional.cross_entropy
OPTIONS = {
    "default": {},
    "weights": {"weight": torch.tensor([0.5, 2.0, 0.0, 1.5], dtype=torch.float64)},
    "ignored": {"ignore_index": 1},
    "smoothed": {"label_smoothing": 0.1},
    "all": {
        "weight": torch.tensor([0.5, 2.0, 0.1, 1.5], dtype=torch.float64),
        "ignore_index": -1,
        "label_smoothing": 0.3,
    },
}


def problem(rows=6, classes=4, scale=1.0, rest=()):
    generator = torch.Generator().manual_seed(0)
    logits = scale * torch.randn(rows, classes, *rest, dtype=torch.float64, generator=generator)
    return logits.requires_grad_(), torch.randint(classes, (rows, *rest), generator=generator)


def check_matches_torch(logits, targets, **options):
    """Value and gradient, from the function and from the layer; NaN where torch gives NaN."""
    for ours in (cross_entropy, lambda z, t, **given: CrossEntropyLoss(**given)(z, t)):
        loss, expected = ours(logits, targets, **options), theirs(logits, targets, **options)
        torch.testing.assert_close(loss, expected, rtol=1e-12, atol=1e-12, equal_nan=True)
        G = torch.rand_like(loss)
        gradients = [torch.autograd.grad(value, logits, G)[0] for value in (loss, expected)]
        torch.testing.assert_close(*gradients, rtol=1e-11, atol=1e-12, equal_nan=True)


@st.composite
def any_call(draw):
    rows, classes = draw(st.integers(0, 5)), draw(st.integers(1, 5))
    shape = (rows, classes, *draw(st.sampled_from([(), (), (3,), (2, 0), (2, 3)])))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    scale, shift = draw(st.sampled_from([1e-8, 1.0, 100.0, 1e4])), draw(st.sampled_from([0.0, 1e4, -1e4]))
    logits = scale * torch.randn(shape, dtype=torch.float64, generator=generator) + shift
    targets = torch.randint(classes, (rows, *shape[2:]), generator=generator)
    ignore_index = draw(st.sampled_from([-100, -1, 0, 7]))
    hidden = torch.rand(targets.shape, generator=generator) < draw(st.sampled_from([0.0, 0.3, 1.0]))
    weight = torch.rand(classes, dtype=torch.float64, generator=generator) if draw(st.booleans()) else None
    options = {
        "weight": weight,
        "ignore_index": ignore_index,
        "label_smoothing": draw(st.sampled_from([0.0, 0.1, 1.0])),
        "reduction": draw(st.sampled_from(REDUCTIONS)),
    }
    return logits.requires_grad_(), targets.masked_fill(hidden, ignore_index), options


@given(any_call())
@settings(max_examples=150, deadline=None)
def test_every_combination_of_options_matches_torch(call):
    logits, targets, options = call
    check_matches_torch(logits, targets, **options)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", OPTIONS)
def test_logits_of_1e4_match_torch(name, reduction):
    logits, targets = problem(scale=1e4)
    check_matches_torch(logits, targets, reduction=reduction, **OPTIONS[name])


def test_logits_of_minus_infinity_are_classes_ruled_out():
    logits, targets = problem()
    ruled_out = (targets + 1) % 4
    logits = logits.detach().scatter(-1, ruled_out.unsqueeze(-1), -math.inf).requires_grad_()
    check_matches_torch(logits, targets, weight=OPTIONS["weights"]["weight"])


@pytest.mark.parametrize("name", OPTIONS)
def test_the_mean_over_an_empty_or_all_ignored_batch_is_nan_and_its_sum_0(name):
    logits, targets = problem()
    options = OPTIONS[name]
    ignored = torch.full_like(targets, options.get("ignore_index", -100))
    for z, t in ((logits, ignored), (logits[:0], targets[:0])):
        assert cross_entropy(z, t, **options).isnan()
        assert cross_entropy(z, t, reduction="sum", **options) == 0
        assert not cross_entropy(z, t, reduction="none", **options).any()


def test_nan_is_passed_on_but_not_from_an_ignored_row():
    logits, targets = torch.zeros(2, 4), torch.tensor([0, -100])
    logits[1, 2] = math.nan
    assert cross_entropy(logits, targets) == theirs(logits, targets)
    logits[0, 0] = math.nan
    assert cross_entropy(logits, targets).isnan()


def test_huge_float32_logits_give_finite_loss_and_gradient():
    logits = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]], requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([1, 2]))
    loss.backward()
    torch.testing.assert_close(loss.item(), (2e4 + math.log(2.0)) / 2)
    torch.testing.assert_close(logits.grad, torch.tensor([[0.5, -0.5, 0], [0, 0.25, -0.25]]))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", OPTIONS)
def test_derivatives_pass_gradcheck(name, reduction):
    logits, targets = problem(rows=4)

    def loss(z):
        return cross_entropy(z, targets, reduction=reduction, **OPTIONS[name])

    assert torch.autograd.gradcheck(loss, logits)
    assert torch.autograd.gradgradcheck(loss, logits)


def test_smoothed_loss_is_the_cross_entropy_of_the_smoothed_one_hot_targets():
    logits, targets = problem()
    q = 0.8 * torch.nn.functional.one_hot(targets, 4) + 0.2 / 4
    expected = -(q * logits.log_softmax(-1)).sum(-1)
    torch.testing.assert_close(cross_entropy(logits, targets, label_smoothing=0.2, reduction="none"), expected)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("shared", [True, False])
def test_lanes_equal_each_alone(dim, shared, name, reduction):
    def loss(z, t):
        return cross_entropy(z, t, reduction=reduction, **OPTIONS[name])

    lanes = torch.randn(3, 6, 4, dtype=torch.float64)
    targets = torch.randint(4, (6,) if shared else (3, 6))
    z = lanes.movedim(0, dim).clone().requires_grad_()
    losses = vmap(loss, in_dims=(dim, None if shared else 0))(z, targets)
    losses.sum().backward()
    for lane in range(3):
        alone = lanes[lane].clone().requires_grad_()
        expected = loss(alone, targets if shared else targets[lane])
        expected.sum().backward()
        torch.testing.assert_close(losses[lane], expected, rtol=0, atol=1e-12)
        torch.testing.assert_close(z.grad.movedim(dim, 0)[lane], alone.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", OPTIONS)
def test_shared_logits_with_targets_by_lane_and_gradients_by_row(name):
    logits, _ = problem()
    targets = torch.randint(4, (3, 6))

    def loss(z, t):
        return cross_entropy(z, t, **OPTIONS[name])

    losses = vmap(loss, in_dims=(None, 0))(logits, targets)
    expected = torch.stack([theirs(logits, t, **OPTIONS[name]) for t in targets])
    torch.testing.assert_close(losses, expected, rtol=0, atol=1e-12)
    gradients = vmap(grad(loss), in_dims=(None, 0))(logits, targets)
    one_by_one = torch.stack([torch.autograd.grad(value, logits, retain_graph=True)[0] for value in expected])
    torch.testing.assert_close(gradients, one_by_one, rtol=0, atol=1e-12)


def test_weights_by_lane_and_lanes_of_lanes_equal_each_alone():
    logits = torch.randn(2, 3, 6, 4, dtype=torch.float64)
    targets, weights = torch.randint(4, (6,)), torch.rand(3, 4, dtype=torch.float64)
    inner = vmap(cross_entropy, in_dims=(0, None, 0))
    losses = vmap(inner, in_dims=(0, None, None))(logits, targets, weights)
    expected = torch.tensor([[theirs(z, targets, w) for z, w in zip(row, weights, strict=True)] for row in logits])
    torch.testing.assert_close(losses, expected, rtol=0, atol=1e-12)


def test_one_diverged_lane_leaves_the_others_alone():
    z = torch.randn(2, 6, 4, dtype=torch.float64)
    z[1, 0, 0] = torch.nan
    z.requires_grad_()
    losses = vmap(cross_entropy, in_dims=(0, None))(z, torch.zeros(6, dtype=torch.int64))
    losses.sum().backward()
    assert losses.isnan().tolist() == [False, True]
    assert z.grad[0].isfinite().all()


def test_autocast_computes_in_float32_as_torch_does():
    logits = torch.randn(6, 4, dtype=torch.bfloat16)
    targets = torch.zeros(6, dtype=torch.int64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(cross_entropy(logits, targets), theirs(logits, targets))


def test_a_layer_with_weights_has_torchs_state():
    weight = torch.rand(4)
    ours, torchs = CrossEntropyLoss(weight), torch.nn.CrossEntropyLoss(weight)
    assert ours.state_dict().keys() == torchs.state_dict().keys()
    assert CrossEntropyLoss().state_dict() == {}


@pytest.mark.parametrize(
    ("logits", "targets", "message"),
    [
        (
            torch.zeros(6, 4),
            torch.zeros(6, 1, dtype=torch.int64),
            r"target has shape \(6, 1\), expected \(6,\)",
        ),
        (torch.zeros(6, 4), torch.zeros(1, dtype=torch.int64), r"target has shape \(1,\), expected \(6,\)"),
        (torch.zeros(6, 4), torch.tensor(0), r"target has shape \(\), expected \(6,\)"),
        (torch.zeros(4), torch.tensor(0), r"input has shape \(4,\), expected logits \(batch, classes\)"),
        (torch.zeros(4, 0), torch.zeros(4, dtype=torch.int64), r"input has shape \(4, 0\)"),
        (
            torch.zeros(2, 4, 5),
            torch.zeros(2, 4, dtype=torch.int64),
            r"target has shape \(2, 4\), expected \(2, 5\)",
        ),
        (torch.zeros(2, 4), torch.zeros(2), "target is torch.float32, expected class indices"),
        (
            torch.zeros(2, 4, dtype=torch.int64),
            torch.zeros(2, dtype=torch.int64),
            "input is torch.int64, expected floating point",
        ),
        (
            torch.zeros(2, 4),
            torch.tensor([0, 4]),
            r"target has classes in \[0, 4\], expected ignore_index or class indices in \[0, 3\]",
        ),
        (torch.zeros(2, 4), torch.tensor([0, -1]), r"target has classes in \[-1, 0\]"),
    ],
)
def test_wrong_labels_are_an_error_and_never_broadcast(logits, targets, message):
    with pytest.raises(UserError, match=message):
        cross_entropy(logits, targets)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": torch.ones(3)}, r"weight has shape \(3,\) of torch.float32, expected \(4,\)"),
        ({"weight": torch.ones(4, 1)}, r"weight has shape \(4, 1\)"),
        ({"weight": torch.ones(4, dtype=torch.int64)}, "of torch.int64, expected .* of torch.float32"),
        ({"weight": torch.ones(4, requires_grad=True)}, r"use weight.detach\(\)"),
        ({"label_smoothing": 1.1}, r"label_smoothing=1.1, expected a number in \[0, 1\]"),
        ({"label_smoothing": -0.1}, "label_smoothing=-0.1"),
        ({"label_smoothing": math.nan}, "label_smoothing=nan"),
        ({"ignore_index": 1.5}, "ignore_index=1.5, expected an integer"),
        ({"reduction": "men"}, "unknown reduction 'men': did you mean 'mean'"),
    ],
)
def test_wrong_options_are_named(options, message):
    logits, targets = torch.zeros(2, 4), torch.zeros(2, dtype=torch.int64)
    for call in (
        lambda: cross_entropy(logits, targets, **options),
        lambda: CrossEntropyLoss(**options)(logits, targets),
    ):
        with pytest.raises(UserError, match=message):
            call()


@pytest.mark.parametrize("name", ["size_average", "reduce"])
def test_deprecated_arguments_are_named(name):
    with pytest.raises(UserError, match=name):
        CrossEntropyLoss(**{name: True})
