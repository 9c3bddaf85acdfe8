"""Clipping by norm against torch's, and lane by lane against each lane alone."""

import pytest
import torch
from descent import assert_close, parameters, set_gradients
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.errors import UserError
from phase2.optim import clip_grad_norm_, lane_norms

NORMS = [0.5, 1, 2.0, 2, 3.7, torch.inf, "inf"]
every_way = pytest.mark.parametrize("foreach", [True, False, None])


def with_gradients(lanes=None):
    params = parameters(lanes)
    set_gradients(params, 0)
    return params


def gradients(params):
    return [p.grad for p in params]


def of_lane(params, lane):
    """A lane's own parameters, with its gradients."""
    alone = [torch.nn.Parameter(p[lane].detach().clone()) for p in params]
    for p, whole in zip(alone, params, strict=True):
        p.grad = whole.grad[lane].clone()
    return alone


@every_way
@pytest.mark.parametrize("norm_type", NORMS)
@pytest.mark.parametrize("max_norm", [0.0, 0.5, 1e6, torch.tensor(0.5), torch.inf])
def test_clipping_matches_torch(norm_type, max_norm, foreach):
    params, theirs = with_gradients(), with_gradients()
    norm = clip_grad_norm_(iter(params), max_norm, norm_type, foreach=foreach)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    assert_close(norm, expected)
    assert_close(gradients(params), gradients(theirs))


limits = st.one_of(st.floats(0.01, 10), st.just(torch.inf))


@given(st.lists(limits, min_size=1, max_size=5), st.sampled_from(NORMS), st.booleans(), st.booleans())
@settings(max_examples=25, deadline=None)
def test_each_lane_is_clipped_to_its_own_limit_as_if_alone(max_norms, norm_type, shared, foreach):
    lanes = len(max_norms)
    max_norms = max_norms[:1] * lanes if shared else max_norms
    stacked = with_gradients(lanes)
    alone = [of_lane(stacked, lane) for lane in range(lanes)]
    limit = max_norms[0] if shared else torch.tensor(max_norms, dtype=torch.float64)
    norms = clip_grad_norm_(stacked, limit, norm_type, foreach=foreach, lanes=lanes)
    assert norms.shape == (lanes,)
    for lane, params in enumerate(alone):
        assert_close(norms[lane], torch.nn.utils.clip_grad_norm_(params, max_norms[lane], norm_type))
        assert_close([g[lane] for g in gradients(stacked)], gradients(params))


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


@pytest.mark.parametrize("max_norm", [0.5, torch.inf])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_a_lane_of_nonfinite_norm_gets_zero_gradients_if_asked(bad, max_norm):
    clean, poisoned = with_gradients(3), with_gradients(3)
    poisoned[1].grad[1, 0] = bad
    clip_grad_norm_(clean, max_norm, lanes=3)
    norms = clip_grad_norm_(poisoned, max_norm, zero_if_nonfinite=True, lanes=3)
    assert norms.isfinite().tolist() == [True, False, True]
    for p, q in zip(clean, poisoned, strict=True):
        assert torch.equal(p.grad[[0, 2]], q.grad[[0, 2]])
        assert q.grad[1].eq(0).all()


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_network_of_nonfinite_norm_gets_zero_gradients_if_asked(bad):
    params = with_gradients()
    params[1].grad[0] = bad
    assert not clip_grad_norm_(params, 0.5, zero_if_nonfinite=True).isfinite()
    assert all(grad.eq(0).all() for grad in gradients(params))


def test_finite_gradients_are_clipped_alike_whether_zeroing_is_asked_or_not():
    params, asked = with_gradients(), with_gradients()
    assert torch.equal(clip_grad_norm_(params, 0.5), clip_grad_norm_(asked, 0.5, zero_if_nonfinite=True))
    assert all(torch.equal(*pair) for pair in zip(gradients(params), gradients(asked), strict=True))


def test_a_single_tensor_and_missing_gradients_are_taken_as_torch_takes_them():
    p = torch.nn.Parameter(torch.ones(4))
    assert clip_grad_norm_([p], 1.0) == torch.nn.utils.clip_grad_norm_([p], 1.0) == 0
    assert torch.equal(clip_grad_norm_([p], 1.0, lanes=4), torch.zeros(4))
    p.grad = torch.ones(4)
    assert clip_grad_norm_(p, 1.0) == 2


@pytest.mark.parametrize("order", [1, 2, 3, torch.inf])
def test_lane_norms_are_joint_over_all_tensors(order):
    tensors = [torch.randn(3, 4, 2), torch.randn(3), torch.randn(3, 5)]
    expected = torch.cat([t.reshape(3, -1) for t in tensors], dim=1).norm(order, dim=1)
    torch.testing.assert_close(lane_norms(tensors, order), expected)


@pytest.mark.parametrize("lanes", [None, 4])
def test_a_nonfinite_norm_raises_torchs_message_before_anything_is_clipped_if_asked(lanes):
    params = [torch.nn.Parameter(torch.ones(4, 3)), torch.nn.Parameter(torch.ones(4))]
    params[0].grad, params[1].grad = torch.full((4, 3), torch.nan), torch.ones(4)
    message = "The total norm of order 2.0 for gradients from `parameters` is non-finite, so it cannot be clipped"
    with pytest.raises(RuntimeError, match=message):
        torch.nn.utils.clip_grad_norm_(params, 0.1, error_if_nonfinite=True)
    with pytest.raises(RuntimeError, match=message):
        clip_grad_norm_(params, 0.1, error_if_nonfinite=True, lanes=lanes)
    assert params[1].grad.eq(1).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        *[
            (lambda p=p: clip_grad_norm_(with_gradients(), 1.0, p), f"norm_type={p} is not a norm's: expected a number")
            for p in (0, -1.0, torch.nan)
        ],
        (lambda: clip_grad_norm_(with_gradients(3), 1.0, lanes=2), r"lanes=2, but a gradient has shape \(3, 4, 3\)"),
        (lambda: clip_grad_norm_(with_gradients(), 1.0, lanes=4), r"lanes=4, but a gradient has shape \(3,\)"),
        (lambda: clip_grad_norm_(with_gradients(3), torch.ones(2), lanes=3), r"limit of shape \(2,\) with lanes=3"),
        (lambda: clip_grad_norm_(with_gradients(3), torch.ones(3)), r"limit of shape \(3,\) with lanes=None"),
        (lambda: lane_norms([torch.zeros(2, 3), torch.zeros(3, 3)]), r"shapes \[\(2, 3\), \(3, 3\)\]"),
        (lambda: lane_norms([torch.tensor(1.0)]), "one leading lane dimension"),
        (lambda: lane_norms([]), "one leading lane dimension"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(UserError, match=message):
        call()
