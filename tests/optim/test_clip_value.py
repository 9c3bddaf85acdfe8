"""Clipping by value against torch's, and with a limit for each lane."""

import pytest
import torch
from descent import parameters, set_gradients
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.errors import UserError
from phase2.optim import clip_grad_value_

pytestmark = pytest.mark.quick

every_way = pytest.mark.parametrize("foreach", [True, False, None])


def with_gradients(lanes=None):
    params = parameters(lanes)
    set_gradients(params, 0)
    return params


@every_way
@pytest.mark.parametrize("clip_value", [0, 0.3, 1e6, torch.inf, torch.tensor(0.3)])
def test_clipping_by_value_matches_torch(clip_value, foreach):
    params, theirs = with_gradients(), with_gradients()
    params[0].grad[0, 0] = theirs[0].grad[0, 0] = torch.nan
    assert clip_grad_value_(iter(params), clip_value, foreach=foreach) is None
    torch.nn.utils.clip_grad_value_(theirs, clip_value)
    for p, q in zip(params, theirs, strict=True):
        assert torch.equal(p.grad.nan_to_num(7), q.grad.nan_to_num(7))


@given(st.lists(st.one_of(st.floats(0, 3), st.just(torch.inf)), min_size=1, max_size=4), st.booleans())
@settings(max_examples=25, deadline=None)
def test_each_lane_is_clipped_at_its_own_value(values, foreach):
    lanes = len(values)
    params = with_gradients(lanes)
    before = [p.grad.clone() for p in params]
    clip_grad_value_(params, torch.tensor(values, dtype=torch.float64), foreach=foreach, lanes=lanes)
    for p, grad in zip(params, before, strict=True):
        for lane, value in enumerate(values):
            assert torch.equal(p.grad[lane], grad[lane].clamp(-value, value))


def test_a_single_tensor_and_missing_gradients_are_taken_as_torch_takes_them():
    p = torch.nn.Parameter(torch.ones(4))
    clip_grad_value_([p], 1.0)
    assert p.grad is None
    p.grad = torch.full((4,), -2.0)
    clip_grad_value_(p, 0.5)
    assert p.grad.eq(-0.5).all()


@pytest.mark.parametrize(
    ("value", "lanes", "message"),
    [
        (torch.ones(2), 3, r"limit of shape \(2,\) with lanes=3: expected a number, or \(lanes,\)"),
        (torch.ones(3), None, r"limit of shape \(3,\) with lanes=None"),
        (1.0, 2, r"lanes=2, but a gradient has shape \(3, 4, 3\): expected \(lanes, ...\)"),
    ],
)
def test_lanes_that_do_not_fit_are_named(value, lanes, message):
    with pytest.raises(UserError, match=message):
        clip_grad_value_(with_gradients(3), value, lanes=lanes)
