"""Each schedule against torch's scheduler, at every step of trainings of many lengths."""

import math
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from phase2 import registry, schedules
from phase2.errors import UserError

TOTALS = [1, 2, 3, 5, 7, 10, 70, 101, 500]


def torch_rates(build, total, lr):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = build(optimizer)
    rates = []
    for _ in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # OneCycleLR warns of its last step
            scheduler.step()
    return rates


def our_rates(name, total, lr, **options):
    return [registry.load("schedule", name)(step, total, lr, **options) for step in range(total)]


lr_scheduler = torch.optim.lr_scheduler
MATCHES = {
    "constant": ({}, lambda total: lambda o: lr_scheduler.ConstantLR(o, factor=1.0)),
    "step": ({}, lambda total: lambda o: lr_scheduler.StepLR(o, max(1, total // 3), 0.1)),
    "step by 2": ({"step_size": 2, "gamma": 0.7}, lambda total: lambda o: lr_scheduler.StepLR(o, 2, 0.7)),
    "cosine": ({}, lambda total: lambda o: lr_scheduler.CosineAnnealingLR(o, total)),
    "cosine to a floor": (
        {"eta_min": 0.01},
        lambda total: lambda o: lr_scheduler.CosineAnnealingLR(o, total, eta_min=0.01),
    ),
    "warm_restarts": (
        {},
        lambda total: lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, -(-total // 7), 2),
    ),
    "warm_restarts of one length": (
        {"T_0": 4, "T_mult": 1, "eta_min": 0.01},
        lambda total: lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4, 1, eta_min=0.01),
    ),
    "warm_restarts tripled": (
        {"T_0": 3, "T_mult": 3},
        lambda total: lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 3, 3),
    ),
    "one_cycle": (
        {},
        lambda total: lambda o: lr_scheduler.OneCycleLR(o, 0.3, total_steps=total, cycle_momentum=False),
    ),
    "one_cycle with a late peak": (
        {"pct_start": 0.63, "div_factor": 10.0, "final_div_factor": 50.0},
        lambda total: (
            lambda o: lr_scheduler.OneCycleLR(
                o,
                0.3,
                total_steps=total,
                cycle_momentum=False,
                pct_start=0.63,
                div_factor=10.0,
                final_div_factor=50.0,
            )
        ),
    ),
    "linear_warmup": (
        {},
        lambda total: lambda o: lr_scheduler.LinearLR(o, 1 / 3, total_iters=max(1, total // 10)),
    ),
    "linear_warmup throughout": (
        {"warmup_steps": 1, "start_factor": 0.1},
        lambda total: lambda o: lr_scheduler.LinearLR(o, 0.1, total_iters=1),
    ),
}


@pytest.mark.parametrize("case", MATCHES)
@pytest.mark.parametrize("total", TOTALS)
def test_schedule_matches_torch_at_every_step(case, total):
    options, build = MATCHES[case]
    expected = torch_rates(build(total), total, 0.3)
    assert our_rates(case.split()[0], total, 0.3, **options) == pytest.approx(expected, rel=1e-12, abs=1e-12)


names = st.sampled_from(registry.names("schedule"))


@given(names, st.integers(1, 300), st.floats(0, 10), st.data())
def test_rate_is_a_float_between_zero_and_the_base_rate(name, total, lr, data):
    step = data.draw(st.integers(0, total - 1))
    rate = registry.load("schedule", name)(step, total, lr)
    assert isinstance(rate, float)
    assert 0 <= rate <= lr * (1 + 1e-12)


@given(names, st.integers(1, 300), st.floats(1e-6, 10), st.data())
def test_rate_is_proportional_to_the_base_rate(name, total, lr, data):
    step = data.draw(st.integers(0, total - 1))
    schedule = registry.load("schedule", name)
    assert schedule(step, total, lr) == pytest.approx(lr * schedule(step, total, 1.0))


@pytest.mark.parametrize(("total", "starts"), [(70, [0, 10, 30]), (632, [0, 91, 273]), (69, [0, 10, 30])])
def test_warm_restarts_fill_a_training_with_three_periods_and_never_end_on_a_restart(total, starts):
    rates = our_rates("warm_restarts", total, 0.3)
    assert [step for step, rate in enumerate(rates) if rate == 0.3] == starts


def test_one_cycle_without_a_rise_starts_at_the_peak():
    """torch divides by zero here: pct_start total = 1, so the rise has no steps."""
    assert schedules.one_cycle(0, 10, 0.3, pct_start=0.1) == 0.3
    assert math.isclose(schedules.one_cycle(9, 10, 0.3, pct_start=0.1), 0.3 / 25 / 1e4)


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
def test_values_out_of_range_are_named(name, arguments, message):
    with pytest.raises(UserError, match=message):
        registry.load("schedule", name)(*arguments)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("linear_warmup", {"warmup_steps": 11}, "warmup_steps=11: expected at most total=10"),
        ("linear_warmup", {"warmup_steps": 0}, "warmup_steps=0: expected a value above 0"),
        ("step", {"step_size": 0}, "step_size=0"),
        ("warm_restarts", {"T_0": 0}, "T_0=0"),
        ("warm_restarts", {"T_mult": 0}, "T_mult=0"),
        ("one_cycle", {"pct_start": 1.5}, "pct_start=1.5"),
        ("one_cycle", {"div_factor": 0}, "div_factor=0"),
    ],
)
def test_options_out_of_range_are_named(name, options, message):
    with pytest.raises(UserError, match=message):
        registry.load("schedule", name)(0, 10, 0.1, **options)
