"""Values out of range: the message has the argument, the value and what was expected."""

import math

import pytest

from phase2 import registry, schedules
from phase2.errors import UserError

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("name", registry.names("schedule"))
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0, 0.1), "total=0: expected at least 1"),
        ((0, -3, 0.1), "total=-3"),
        ((10, 10, 0.1), "step=10: expected 0 <= step < total=10"),
        ((-1, 10, 0.1), "step=-1"),
        ((0, 10, -0.1), "lr=-0.1: expected a learning rate of at least 0"),
        ((0, 10, math.nan), "lr=nan"),
    ],
)
def test_trainings_out_of_range_are_named(name, arguments, message):
    for schedule in (registry.load("schedule", name), schedules.range_test):
        with pytest.raises(UserError, match=message):
            schedule(*arguments)


WARMUPS = ("linear_warmup", "cosine_warmup", "warmup_cosine", "inverse_sqrt", "warmup_stable_decay")


@pytest.mark.parametrize("name", WARMUPS)
def test_a_schedule_shorter_than_its_warm_up_is_refused(name):
    schedule = registry.load("schedule", name)
    with pytest.raises(UserError, match="warmup_steps=11: expected at most total=10, the steps there are"):
        schedule(0, 10, 0.1, warmup_steps=11)
    with pytest.raises(UserError, match="warmup_steps=0: expected a value above 0"):
        schedule(0, 10, 0.1, warmup_steps=0)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("step", {"step_size": 0}, "step_size=0: expected a value above 0"),
        ("step", {"gamma": 0.0}, "gamma=0.0: expected a value above 0"),
        ("exponential", {"gamma": 1.1}, "gamma=1.1: expected a value from 0 to 1"),
        ("multi_step", {"milestones": [5, 3]}, r"milestones=\[5, 3\]: expected steps of at least 1 in rising order"),
        ("multi_step", {"milestones": [-1]}, r"milestones=\[-1\]"),
        ("multi_step", {"gamma": -1}, "gamma=-1"),
        ("linear", {"start_factor": 1.5}, "start_factor=1.5: expected a value from 0 to 1"),
        ("linear", {"end_factor": -0.5}, "end_factor=-0.5"),
        ("linear", {"total_iters": 0}, "total_iters=0"),
        ("polynomial", {"power": 0}, "power=0: expected a value above 0"),
        ("polynomial", {"total_iters": 0}, "total_iters=0"),
        ("cosine", {"eta_min": 0.2}, "eta_min=0.2: expected a value from 0 to 0.1"),
        ("cosine", {"eta_min": math.nan}, "eta_min=nan"),
        ("warm_restarts", {"T_0": 0}, "T_0=0"),
        ("warm_restarts", {"T_mult": 0}, "T_mult=0"),
        ("warm_restarts", {"eta_min": -0.1}, "eta_min=-0.1"),
        ("equal_restarts", {"periods": 0}, "periods=0: expected a value above 0"),
        ("one_cycle", {"pct_start": 1.5}, "pct_start=1.5: expected a value from 0 to 1"),
        ("one_cycle", {"pct_start": 0.6, "three_phase": True}, "pct_start=0.6: expected a value from 0 to 0.5"),
        ("one_cycle", {"div_factor": 0}, "div_factor=0: expected a value from 1 to inf"),
        ("one_cycle_momentum", {"final_div_factor": 0.5}, "final_div_factor=0.5"),
        ("linear_warmup", {"start_factor": 2}, "start_factor=2"),
        ("cosine_warmup", {"start_factor": -1}, "start_factor=-1"),
        ("warmup_stable_decay", {"decay_steps": 10}, "decay_steps=10: expected 0 to 9, what warmup_steps=1 leaves of"),
        ("warmup_stable_decay", {"decay_steps": -1}, "decay_steps=-1"),
    ],
)
def test_options_out_of_range_are_named(name, options, message):
    with pytest.raises(UserError, match=message):
        registry.load("schedule", name)(0, 10, 0.1, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 0.2}, "low=0.2: expected a value from 0 to 0.1"),
        ({"low": 0.0}, "low=0.0: expected a value above 0"),
        ({"growth": "linaer"}, "unknown growth 'linaer': did you mean 'linear'?"),
    ],
)
def test_range_test_options_out_of_range_are_named(options, message):
    with pytest.raises(UserError, match=message):
        schedules.range_test(0, 10, 0.1, **options)


def test_momenta_out_of_range_are_named():
    momentum = schedules.one_cycle_momentum.momentum
    with pytest.raises(UserError, match=r"base_momentum=0\.99: expected a value from 0 to 0\.95"):
        momentum(0, 10, base_momentum=0.99)
    with pytest.raises(UserError, match=r"max_momentum=1\.5: expected a value from 0 to 1"):
        momentum(0, 10, max_momentum=1.5)
    with pytest.raises(UserError, match="step=10: expected 0 <= step < total=10"):
        momentum(10, 10)
