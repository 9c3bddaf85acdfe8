"""What holds for every schedule, and where the pieces of each begin, meet and end."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rates import rates

from phase2 import registry, schedules

LR = 0.3
SCHEDULES = [*(registry.load("schedule", name) for name in registry.names("schedule")), schedules.range_test]
any_schedule = st.sampled_from(SCHEDULES)
totals = st.integers(1, 300)


@given(any_schedule, totals, st.floats(1e-6, 10), st.data())
def test_rate_is_a_float_between_zero_and_the_base_rate(schedule, total, lr, data):
    rate = schedule(data.draw(st.integers(0, total - 1)), total, lr)
    assert isinstance(rate, float)
    assert 0 <= rate <= lr * (1 + 1e-12)


@pytest.mark.parametrize("name", registry.names("schedule"))
def test_a_base_rate_of_zero_stays_zero(name):
    assert rates(name, 20, 0.0) == [0.0] * 20


@given(any_schedule, totals, st.floats(1e-6, 10), st.data())
def test_rate_is_proportional_to_the_base_rate(schedule, total, lr, data):
    step = data.draw(st.integers(0, total - 1))
    assert schedule(step, total, lr) == pytest.approx(lr * schedule(step, total, 1.0))


@given(any_schedule, st.integers(30, 300))
def test_every_schedule_comes_near_its_peak(schedule, total):
    assert max(rates(schedule, total, 1.0)) > 0.95


CONTINUOUS = [
    "constant",
    "linear",
    "polynomial",
    "exponential",
    "cosine",
    "one_cycle",
    "linear_warmup",
    "cosine_warmup",
    "warmup_cosine",
    "inverse_sqrt",
    "triangle",
    "warmup_stable_decay",
]


@pytest.mark.parametrize("name", CONTINUOUS)
@pytest.mark.parametrize("total", [100, 1000])
def test_pieces_meet_at_the_joints(name, total):
    """No step moves the rate by more than a straight line over a tenth of the training would."""
    history = rates(name, total, 1.0)
    assert max(abs(a - b) for a, b in pairwise(history)) <= math.pi / 2 * 10 / total


@pytest.mark.parametrize("name", ["multi_step", "exponential", "step", "linear", "polynomial", "cosine", "constant"])
@given(total=totals)
def test_decay_never_rises(name, total):
    history = rates(name, total, LR)
    assert history[0] == pytest.approx(LR)
    assert history == sorted(history, reverse=True)


@pytest.mark.parametrize(("total", "starts"), [(70, [0, 10, 30]), (632, [0, 91, 273]), (69, [0, 10, 30])])
def test_warm_restarts_fill_a_training_with_three_periods_and_never_end_on_a_restart(total, starts):
    assert [step for step, rate in enumerate(rates("warm_restarts", total, LR)) if rate == LR] == starts


@given(st.integers(1, 8), st.integers(1, 300))
def test_equal_restarts_start_at_most_as_often_as_asked(periods, total):
    history = rates("equal_restarts", total, LR, periods=periods)
    starts = [step for step, rate in enumerate(history) if rate == LR]
    assert starts == list(range(0, total, -(-total // periods)))
    assert len(starts) <= periods


def test_one_cycle_without_a_rise_starts_at_the_peak():
    """torch divides by zero here: pct_start total = 1, so the rise has no steps."""
    assert schedules.one_cycle(0, 10, LR, pct_start=0.1) == LR
    assert math.isclose(schedules.one_cycle(9, 10, LR, pct_start=0.1), LR / 25 / 1e4)
    assert schedules.one_cycle_momentum.momentum(0, 10, pct_start=0.1) == 0.85


@given(totals, st.floats(0, 1), st.data())
def test_momentum_falls_while_the_rate_rises(total, pct_start, data):
    step = data.draw(st.integers(0, total - 1))
    rate = schedules.one_cycle_momentum(step, total, 1.0, pct_start=pct_start, final_div_factor=1.0)
    momentum = schedules.one_cycle_momentum.momentum(step, total, pct_start=pct_start)
    assert (1 - rate) / (1 - 1 / 25) == pytest.approx((momentum - 0.85) / 0.1, abs=1e-9)


def test_one_cycle_ends_at_its_lowest_rate():
    assert rates("one_cycle", 50, LR)[-1] == pytest.approx(LR / 25 / 1e4)
    assert rates("one_cycle", 50, LR, three_phase=True)[-1] == pytest.approx(LR / 25 / 1e4)


@pytest.mark.parametrize("name", ["linear_warmup", "cosine_warmup", "warmup_cosine", "warmup_stable_decay"])
def test_warm_up_starts_at_its_factor_and_reaches_the_peak_after_its_steps(name):
    history = rates(name, 100, LR, warmup_steps=20, start_factor=0.1)
    assert history[0] == pytest.approx(0.1 * LR)
    assert history[:21] == sorted(set(history[:21]))
    assert history[20] == pytest.approx(LR)


@pytest.mark.parametrize("name", ["linear_warmup", "cosine_warmup", "warmup_cosine", "inverse_sqrt"])
def test_warm_up_may_fill_the_training(name):
    history = rates(name, 30, LR, warmup_steps=30)
    assert history == sorted(set(history))


@given(totals, st.floats(1e-6, 0.3))
def test_range_test_goes_from_low_to_the_rate_in_equal_factors(total, low):
    history = rates(schedules.range_test, total, LR, low=low)
    assert history[-1] == LR
    assert total == 1 or history[0] == low
    factors = [b / a for a, b in pairwise(history)]
    assert factors == pytest.approx([(LR / low) ** (1 / (total - 1))] * (total - 1) if total > 1 else [])


def test_range_test_grows_by_equal_amounts_if_asked():
    assert rates(schedules.range_test, 5, 0.4, low=0.0, growth="linear") == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_a_triangle_rises_from_a_fifth_to_its_peak_and_falls_to_seven_hundredths():
    """The corners that airbench's public recipe has, in a training of 480 steps."""
    history = rates("triangle", 480, 1.0)
    assert history[0] == 0.2
    assert history.index(max(history)) == int(0.23 * 480)
    assert max(history) == 1.0
    assert history[-1] == pytest.approx(0.07 + 0.93 / (480 - int(0.23 * 480)))
    assert rates("triangle", 1, 1.0) == [1.0]
