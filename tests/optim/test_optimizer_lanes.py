"""Coefficients for each lane of a stack: a lane takes the steps that it would take alone."""

import pytest
import torch
from descent import CASES, RICH, assert_close, parameters, set_gradients

import phase2.optim as ours
from phase2.errors import UserError

rich_cases = pytest.mark.parametrize(("name", "flags"), RICH)
every_way = pytest.mark.parametrize("foreach", [True, False])
LR = torch.tensor([0.02, 0.0, 0.1])  # float32: the optimizer brings it to the parameters' dtype
DECAY = torch.tensor([0.0, 0.05, 0.3])
CYCLE = torch.tensor([[0.95, 0.85, 0.9], [0.5, 0.85, 0.1]], dtype=torch.float64)  # (step, lane), in turn


def assert_lanes_go_alone(name, stacked_options, alone_options, write=lambda group, step, lane: None, steps=20):
    """Trains three lanes as a stack, then each by torch's optimizer, on the same gradients.

    `alone_options` are those of a lane; `write` changes a group before a step, for a lane or (None) for the stack.
    """
    stacked = parameters(3)
    alone = [[torch.nn.Parameter(p[lane].detach().clone()) for p in stacked] for lane in range(3)]
    optimizer = getattr(ours, name)(stacked, lr=LR, **stacked_options)
    solos = [
        getattr(torch.optim, name)(params, lr=LR[lane].item(), **alone_options(lane))
        for lane, params in enumerate(alone)
    ]
    for step in range(steps):
        set_gradients(stacked, step)
        write(optimizer.param_groups[0], step, None)
        optimizer.step()
        for lane, (solo, params) in enumerate(zip(solos, alone, strict=True)):
            for p, whole in zip(params, stacked, strict=True):
                p.grad = whole.grad[lane].clone()
            write(solo.param_groups[0], step, lane)
            solo.step()
    for lane, params in enumerate(alone):
        assert_close([p[lane] for p in stacked], params)


@pytest.mark.parametrize(("name", "flags"), CASES)
def test_each_lane_equals_its_own_run_for_every_flag_and_pair_of_flags(name, flags):
    assert_lanes_go_alone(name, flags | {"weight_decay": DECAY}, lambda i: flags | {"weight_decay": DECAY[i].item()})


@rich_cases
def test_each_lane_equals_its_own_run_one_parameter_at_a_time(name, flags):
    stacked = flags | {"weight_decay": DECAY, "foreach": False}
    assert_lanes_go_alone(name, stacked, lambda lane: flags | {"weight_decay": DECAY[lane].item()})


@every_way
@pytest.mark.parametrize("name", ["SGD", "RMSprop"])
@pytest.mark.parametrize("flags", [{}, {"weight_decay": 0.05, "maximize": True}])
def test_momentum_may_cycle_by_lane(name, flags, foreach):
    def write(group, step, lane):
        momentum = CYCLE[step % 2]
        group["momentum"] = momentum if lane is None else momentum[lane].item()

    options = flags | {"momentum": 0.9}
    assert_lanes_go_alone(name, options | {"foreach": foreach}, lambda lane: options, write)


def test_nesterov_momentum_may_differ_by_lane():
    momentum = torch.tensor([0.5, 0.9, 0.99], dtype=torch.float64)
    assert_lanes_go_alone(
        "SGD",
        {"momentum": momentum, "nesterov": True},
        lambda lane: {"momentum": momentum[lane].item(), "nesterov": True},
    )


@every_way
@pytest.mark.parametrize("name", ["Adam", "AdamW"])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_the_first_beta_may_cycle_by_lane(name, amsgrad, foreach):
    def write(group, step, lane):
        beta = CYCLE[step % 2]
        group["betas"] = (beta if lane is None else beta[lane].item(), 0.99)

    options = {"weight_decay": 0.05, "amsgrad": amsgrad}
    assert_lanes_go_alone(name, options | {"foreach": foreach}, lambda lane: options, write)


@rich_cases
@every_way
def test_a_nan_lane_leaves_the_others_alone(name, flags, foreach):
    clean, poisoned = parameters(3), parameters(3)
    for params in (clean, poisoned):
        optimizer = getattr(ours, name)(params, lr=torch.full((3,), 0.1), foreach=foreach, **flags)
        for step in range(5):
            set_gradients(params, step)
            if params is poisoned:
                for p in params:
                    p.grad[1] = torch.nan
            optimizer.step()
    for a, b in zip(clean, poisoned, strict=True):
        assert torch.equal(a[[0, 2]], b[[0, 2]])
        assert b[1].isnan().all()


@rich_cases
def test_a_wrong_number_of_lanes_is_named(name, flags):
    params = parameters(3)
    optimizer = getattr(ours, name)(params, lr=torch.full((2,), 0.1), **flags)
    set_gradients(params, 0)
    with pytest.raises(UserError, match=r"coefficient of shape \(2,\) for parameters of shape \(3, 4, 3\)"):
        optimizer.step()
