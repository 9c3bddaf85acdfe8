"""Clipping against torch's, and lane by lane against each lane alone."""

import pytest
import torch
from descent import parameters, set_gradients
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.errors import UserError
from phase2.optim import clip_grad_norm_, lane_norms

NORMS = [2.0, 2, torch.inf, "inf"]


def with_gradients(lanes=None):
    params = parameters(lanes)
    set_gradients(params, 0)
    return params


@pytest.mark.parametrize("norm_type", NORMS)
@pytest.mark.parametrize("max_norm", [0.0, 0.5, 1e6])
def test_clipping_matches_torch(norm_type, max_norm):
    params, theirs = with_gradients(), with_gradients()
    norm = clip_grad_norm_(iter(params), max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    torch.testing.assert_close(norm, expected, rtol=1e-12, atol=1e-12)
    for p, q in zip(params, theirs, strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-12, atol=1e-12)


@given(st.integers(1, 5), st.floats(0.01, 10), st.sampled_from(NORMS))
@settings(max_examples=25, deadline=None)
def test_each_lane_is_clipped_as_if_alone(lanes, max_norm, norm_type):
    stacked = with_gradients(lanes)
    before = [p.grad.clone() for p in stacked]
    norms = clip_grad_norm_(stacked, max_norm, norm_type, lanes=lanes)
    assert norms.shape == (lanes,)
    for lane in range(lanes):
        alone = [torch.nn.Parameter(g[lane].clone()) for g in before]
        for p in alone:
            p.grad = p.detach().clone()
        norm = torch.nn.utils.clip_grad_norm_(alone, max_norm, norm_type)
        torch.testing.assert_close(norms[lane], norm, rtol=1e-12, atol=1e-12)
        for p, q in zip(stacked, alone, strict=True):
            torch.testing.assert_close(p.grad[lane], q.grad, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_bad_lane_does_not_touch_the_others(bad):
    clean, poisoned = with_gradients(3), with_gradients(3)
    poisoned[1].grad[1, 0] = bad
    expected = clip_grad_norm_(clean, 0.5, lanes=3)
    norms = clip_grad_norm_(poisoned, 0.5, lanes=3)
    assert norms.isfinite().tolist() == [True, False, True]
    assert torch.equal(norms[[0, 2]], expected[[0, 2]])
    for p, q in zip(clean, poisoned, strict=True):
        assert torch.equal(p.grad[[0, 2]], q.grad[[0, 2]])


def test_a_single_tensor_and_missing_gradients_are_taken_as_torch_takes_them():
    p = torch.nn.Parameter(torch.ones(4))
    assert clip_grad_norm_([p], 1.0) == torch.nn.utils.clip_grad_norm_([p], 1.0) == 0
    assert torch.equal(clip_grad_norm_([p], 1.0, lanes=4), torch.zeros(4))
    p.grad = torch.ones(4)
    assert clip_grad_norm_(p, 1.0) == 2


def test_lane_norms_are_joint_over_all_tensors():
    tensors = [torch.randn(3, 4, 2), torch.randn(3), torch.randn(3, 5)]
    expected = torch.cat([t.reshape(3, -1) for t in tensors], dim=1).norm(dim=1)
    torch.testing.assert_close(lane_norms(tensors), expected)


def test_a_nonfinite_norm_raises_before_anything_is_clipped_if_asked():
    params = with_gradients()
    params[0].grad[0, 0] = torch.nan
    before = params[1].grad.clone()
    with pytest.raises(RuntimeError, match=r"total norm of order 2.0 is nan"):
        clip_grad_norm_(params, 0.1, error_if_nonfinite=True)
    assert torch.equal(params[1].grad, before)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: clip_grad_norm_(with_gradients(), 1.0, foreach=True), "foreach=True is not supported"),
        (
            lambda: clip_grad_norm_(with_gradients(), 1.0, 1.0),
            "norm_type=1.0 is not supported: expected 2 or inf",
        ),
        (
            lambda: clip_grad_norm_(with_gradients(3), 1.0, lanes=2),
            "lanes=2, but the gradients' first dimension is 3",
        ),
        (
            lambda: clip_grad_norm_(with_gradients(), 1.0, lanes=4),
            "one leading lane dimension that all share",
        ),
        (lambda: lane_norms([torch.zeros(2, 3), torch.zeros(3, 3)]), r"shapes \[\(2, 3\), \(3, 3\)\]"),
        (lambda: lane_norms([torch.tensor(1.0)]), "one leading lane dimension"),
        (lambda: lane_norms([]), "one leading lane dimension"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(UserError, match=message):
        call()
