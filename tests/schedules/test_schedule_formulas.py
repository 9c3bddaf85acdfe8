"""Schedules that torch does not have, against the formulas of their papers."""

import math

import pytest
from rates import rates

pytestmark = pytest.mark.quick

LR = 0.3


@pytest.mark.parametrize(("d_model", "warmup_steps", "total"), [(512, 4000, 4100), (64, 7, 90), (16, 1, 20)])
def test_inverse_sqrt_is_equation_3_of_vaswani_and_others(d_model, warmup_steps, total):
    peak = (d_model * warmup_steps) ** -0.5
    paper = [d_model**-0.5 * min(n**-0.5, n * warmup_steps**-1.5) for n in range(1, total + 1)]
    assert rates("inverse_sqrt", total, peak, warmup_steps=warmup_steps) == pytest.approx(paper, rel=1e-12)


def test_inverse_sqrt_peaks_at_the_last_step_of_its_warm_up():
    history = rates("inverse_sqrt", 200, LR)
    assert history[19] == LR == max(history)
    assert history.count(LR) == 1
    assert history[79] == pytest.approx(LR / 2)


def test_cosine_warmup_is_a_half_cosine_then_constant():
    history = rates("cosine_warmup", 100, LR, warmup_steps=40, start_factor=0.2)
    rise = [LR * (0.2 + 0.8 * (1 - math.cos(math.pi * t / 40)) / 2) for t in range(40)]
    assert history == pytest.approx([*rise, *[LR] * 60], rel=1e-12)


def test_warmup_stable_decay_has_three_straight_pieces():
    options = {"warmup_steps": 4, "decay_steps": 5, "start_factor": 0.0, "end_factor": 0.5}
    rise, fall = [0.0, 0.25, 0.5, 0.75], [1.0, 0.9, 0.8, 0.7, 0.6]
    assert rates("warmup_stable_decay", 12, 1.0, **options) == pytest.approx([*rise, 1.0, 1.0, 1.0, *fall])


def test_warmup_stable_decay_may_lack_its_stable_piece_or_its_decay():
    assert rates("warmup_stable_decay", 4, 1.0, warmup_steps=2, decay_steps=2, start_factor=0.5) == [0.5, 0.75, 1, 0.5]
    assert rates("warmup_stable_decay", 4, 1.0, warmup_steps=2, decay_steps=0, start_factor=0.5) == [0.5, 0.75, 1, 1]


def test_multi_step_falls_at_half_and_three_quarters_as_its_formula_says():
    assert rates("multi_step", 64, 1.0) == pytest.approx([1.0] * 32 + [0.1] * 16 + [0.01] * 16)


@pytest.mark.parametrize("total", [1, 6, 50])
def test_exponential_leaves_a_hundredth_after_the_training(total):
    assert rates("exponential", total, 1.0) == pytest.approx([0.01 ** (t / total) for t in range(total)])
