"""cross_entropy against torch's, for class indices: values, gradients, extremes, lanes, refused arguments."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import vmap

from phase2.errors import UserError
from phase2.nn import CrossEntropyLoss, cross_entropy

theirs = torch.nn.functional.cross_entropy


def problem(rows=6, classes=4, scale=1.0):
    generator = torch.Generator().manual_seed(0)
    logits = scale * torch.randn(rows, classes, dtype=torch.float64, generator=generator)
    return logits.requires_grad_(), torch.randint(classes, (rows,), generator=generator)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("scale", [1.0, 1e4, 1e-8])
def test_value_and_gradient_match_torch(reduction, scale):
    logits, targets = problem(scale=scale)
    for function in (cross_entropy, lambda z, t, reduction: CrossEntropyLoss(reduction=reduction)(z, t)):
        loss, expected = (
            function(logits, targets, reduction=reduction),
            theirs(logits, targets, reduction=reduction),
        )
        torch.testing.assert_close(loss, expected, rtol=1e-12, atol=1e-12)
        G = torch.rand_like(loss)
        gradients = [torch.autograd.grad(value, logits, G)[0] for value in (loss, expected)]
        torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-12)


@given(st.integers(1, 8), st.integers(1, 6), st.floats(-1e4, 1e4), st.floats(0, 100))
@settings(max_examples=40, deadline=None)
def test_any_shift_and_scale_matches_torch(rows, classes, shift, scale):
    logits, targets = problem(rows, classes, scale)
    shifted = logits.detach() + shift
    torch.testing.assert_close(cross_entropy(shifted, targets), theirs(shifted, targets), rtol=1e-10, atol=1e-10)


def test_huge_float32_logits_give_finite_loss_and_gradient():
    logits = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]], requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([1, 2]))
    loss.backward()
    torch.testing.assert_close(loss.item(), (2e4 + torch.log(torch.tensor(2.0)).item()) / 2)
    torch.testing.assert_close(logits.grad, torch.tensor([[0.5, -0.5, 0], [0, 0.25, -0.25]]))


def test_derivatives_pass_gradcheck():
    logits, targets = problem()
    for reduction in ("mean", "sum", "none"):
        assert torch.autograd.gradcheck(lambda z, r=reduction: cross_entropy(z, targets, r), logits)
        assert torch.autograd.gradgradcheck(lambda z, r=reduction: cross_entropy(z, targets, r), logits)


@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("shared", [True, False])
def test_lanes_equal_each_alone(dim, shared):
    lanes = torch.randn(3, 6, 4, dtype=torch.float64)
    targets = torch.randint(4, (6,) if shared else (3, 6))
    z = lanes.movedim(0, dim).clone().requires_grad_()
    losses = vmap(cross_entropy, in_dims=(dim, None if shared else 0))(z, targets)
    losses.sum().backward()
    for lane in range(3):
        alone = lanes[lane].clone().requires_grad_()
        loss = cross_entropy(alone, targets if shared else targets[lane])
        loss.backward()
        torch.testing.assert_close(losses[lane], loss, rtol=0, atol=1e-12)
        torch.testing.assert_close(z.grad.movedim(dim, 0)[lane], alone.grad, rtol=0, atol=1e-12)


def test_shared_logits_with_targets_by_lane():
    logits, _ = problem()
    targets = torch.randint(4, (3, 6))
    losses = vmap(cross_entropy, in_dims=(None, 0))(logits, targets)
    torch.testing.assert_close(losses, torch.stack([theirs(logits, t) for t in targets]), rtol=0, atol=1e-12)


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


@pytest.mark.parametrize(
    ("logits", "targets", "message"),
    [
        (
            torch.zeros(6, 4),
            torch.zeros(6, 1, dtype=torch.int64),
            r"targets have shape \(6, 1\), expected \(6,\)",
        ),
        (torch.zeros(6, 4), torch.zeros(1, dtype=torch.int64), r"targets have shape \(1,\), expected \(6,\)"),
        (torch.zeros(6, 4), torch.tensor(0), r"targets have shape \(\), expected \(6,\)"),
        (torch.zeros(4), torch.tensor(0), r"logits have shape \(4,\), expected \(batch, classes\)"),
        (torch.zeros(2, 4, 5), torch.zeros(2, 5, dtype=torch.int64), "logits have shape"),
        (torch.zeros(2, 4), torch.zeros(2), "targets are torch.float32, expected class indices"),
        (
            torch.zeros(2, 4),
            torch.tensor([0, 4]),
            r"targets are in \[0, 4\], expected class indices in \[0, 3\]",
        ),
        (torch.zeros(2, 4), torch.tensor([0, -100]), r"targets are in \[-100, 0\]"),
    ],
)
def test_wrong_labels_are_an_error_and_never_broadcast(logits, targets, message):
    with pytest.raises(UserError, match=message):
        cross_entropy(logits, targets)


@pytest.mark.parametrize(
    ("name", "value"),
    [("weight", torch.ones(4)), ("ignore_index", 0), ("label_smoothing", 0.1), ("reduction", "men")],
)
def test_unsupported_arguments_are_named(name, value):
    with pytest.raises(UserError, match=name):
        cross_entropy(torch.zeros(2, 4), torch.zeros(2, dtype=torch.int64), **{name: value})
    with pytest.raises(UserError, match=name):
        CrossEntropyLoss(**{name: value})


@pytest.mark.parametrize("name", ["size_average", "reduce"])
def test_deprecated_arguments_are_named(name):
    with pytest.raises(UserError, match=name):
        CrossEntropyLoss(**{name: True})
