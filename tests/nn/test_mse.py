"""mse_loss against torch's: values, gradients, lanes, and no silent broadcasting."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import vmap

from phase2.errors import UserError
from phase2.nn.loss.mse import MSELoss, mse_loss
from phase2.nn.loss.reduction import REDUCTIONS

theirs = torch.nn.functional.mse_loss


def pair(*shape, scale=1.0):
    return [(scale * torch.randn(shape, dtype=torch.float64)).requires_grad_() for _ in range(2)]


@given(
    st.sampled_from([(), (0,), (1,), (5,), (0, 3), (4, 3), (2, 3, 4)]),
    st.sampled_from(REDUCTIONS),
    st.sampled_from([1e-8, 1.0, 1e4]),
)
@settings(max_examples=50, deadline=None)
def test_value_and_both_gradients_match_torch(shape, reduction, scale):
    input, target = pair(*shape, scale=scale)
    for ours in (mse_loss, lambda x, y, reduction: MSELoss(reduction=reduction)(x, y)):
        loss, expected = ours(input, target, reduction=reduction), theirs(input, target, reduction=reduction)
        torch.testing.assert_close(loss, expected, rtol=1e-14, atol=0, equal_nan=True)
        G = torch.rand_like(loss)
        for one, other in zip(*(torch.autograd.grad(v, (input, target), G) for v in (loss, expected)), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-12, atol=0)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weighted_squares_match_torch(reduction):
    input, target = pair(4, 3)
    weight = torch.rand(4, 3, dtype=torch.float64)
    losses = [loss(input, target, reduction=reduction, weight=weight) for loss in (mse_loss, theirs)]
    torch.testing.assert_close(*losses, rtol=1e-14, atol=0)
    G = torch.rand_like(losses[0])
    torch.testing.assert_close(*(torch.autograd.grad(loss, (input, target), G) for loss in losses), rtol=1e-12, atol=0)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_derivatives_pass_gradcheck(reduction):
    arguments = pair(3, 2)
    assert torch.autograd.gradcheck(lambda x, y: mse_loss(x, y, reduction=reduction), arguments)
    assert torch.autograd.gradgradcheck(lambda x, y: mse_loss(x, y, reduction=reduction), arguments)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("dim", [0, 1])
def test_lanes_equal_each_alone(dim, shared):
    lanes = torch.randn(3, 6, dtype=torch.float64)
    targets = torch.randn((6,) if shared else (3, 6), dtype=torch.float64)
    x = lanes.movedim(0, dim).clone().requires_grad_()
    losses = vmap(mse_loss, in_dims=(dim, None if shared else 0))(x, targets)
    losses.sum().backward()
    for lane in range(3):
        alone = lanes[lane].clone().requires_grad_()
        expected = theirs(alone, targets if shared else targets[lane])
        expected.backward()
        torch.testing.assert_close(losses[lane], expected, rtol=0, atol=1e-12)
        torch.testing.assert_close(x.grad.movedim(dim, 0)[lane], alone.grad, rtol=0, atol=1e-12)


def test_autocast_computes_in_float32_as_torch_does():
    input, target = torch.randn(2, 6).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(mse_loss(input, target), theirs(input, target))


@pytest.mark.parametrize(("one", "other"), [((5, 1), (5,)), ((5,), (1,)), ((5,), ()), ((2, 3), (3, 2))])
def test_shapes_that_differ_are_an_error_naming_both(one, other):
    message = f"input has shape {one} and target {other}"
    with pytest.raises(UserError) as error:
        MSELoss()(torch.zeros(one), torch.zeros(other))
    assert message in str(error.value)


def test_wrong_arguments_are_named():
    numbers, integers = torch.zeros(3), torch.zeros(3, dtype=torch.int64)
    for call, message in (
        (lambda: mse_loss(integers, numbers), "input is torch.int64, expected floating point"),
        (lambda: mse_loss(numbers, integers), "target is torch.int64, expected floating point"),
        (lambda: mse_loss(numbers, numbers, reduction="men"), "unknown reduction 'men'"),
        (
            lambda: mse_loss(numbers, numbers, weight=torch.ones(1)),
            r"shape \(3,\) and weight \(1,\), expected the same",
        ),
        (lambda: mse_loss(numbers, numbers, size_average=True), "size_average=True is not supported"),
        (lambda: MSELoss(reduction="men"), "unknown reduction 'men'"),
        (lambda: MSELoss(reduce=True), "reduce=True is not supported"),
    ):
        with pytest.raises(UserError, match=message):
            call()
