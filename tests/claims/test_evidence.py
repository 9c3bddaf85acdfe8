"""A verdict has three values, and an estimate without enough seeds gives none."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from phase2.claims import Estimate, Evidence, all_of, any_of, exact
from phase2.claims.evidence import estimate
from phase2.errors import UserError

pytestmark = pytest.mark.quick


def test_the_interval_is_students():
    values = np.random.default_rng(0).normal(size=8)
    expected = ttest_1samp(values, 0).confidence_interval(0.95)
    found = estimate(values)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.value == pytest.approx(values.mean())
    assert found.n == 8


def test_four_seeds_say_nothing_however_clear_they_are():
    few = estimate(np.array([5.0, 5.0, 5.0, 5.1]))
    assert few.above(0) is few.below(0) is few.within(10) is None


def test_a_bound_inside_the_interval_is_open_and_one_outside_is_not():
    gap = Estimate(1.0, 0.5, 1.5, 8)
    assert (gap.above(0), gap.above(1), gap.above(2)) == (True, None, False)
    assert (gap.below(0), gap.below(1), gap.below(2)) == (False, None, True)


def test_no_difference_needs_the_whole_interval_within_the_margin():
    assert Estimate(0.0, -0.4, 0.4, 8).within(0.5) is True
    assert Estimate(0.0, -0.6, 0.4, 8).within(0.5) is None  # wide, which is no evidence of equality
    assert Estimate(1.0, 0.6, 1.4, 8).within(0.5) is False


def test_no_difference_is_two_one_sided_tests():
    for differences in np.random.default_rng(0).normal(0.1, 1, size=(20, 8)):
        sides = ((-0.9, "greater"), (0.9, "less"))
        p = max(ttest_1samp(differences, bound, alternative=side).pvalue for bound, side in sides)
        assert (estimate(differences).within(0.9) is True) == (p < 0.025)


@pytest.mark.parametrize("margin", [0, -1, math.nan])
def test_a_margin_is_above_zero(margin):
    with pytest.raises(UserError, match="expected the largest difference that is none"):
        Estimate(0.0, -0.4, 0.4, 8).within(margin)


@pytest.mark.parametrize("true", [0.5, -0.5])
def test_a_difference_as_large_as_the_margin_passes_for_none_in_25_of_1000_draws(true):
    draws = np.random.default_rng(1).normal(true, 0.2, size=(4000, 6))
    assert np.mean([estimate(draw).within(0.5) is True for draw in draws]) == pytest.approx(0.025, abs=0.006)


@pytest.mark.parametrize(
    ("verdicts", "every", "some"),
    [
        ((True, True), True, True),
        ((True, None), None, True),
        ((False, None), False, None),
        ((False, False), False, False),
        ((True, False), False, True),
    ],
)
def test_verdicts_are_joined_as_kleene_does(verdicts, every, some):
    assert all_of(*verdicts) is every
    assert any_of(*verdicts) is some


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Estimate(0.012, 0.004, 0.02, 8, "points"), "+1.2 points [0.4, 2.0]"),
        (Estimate(-0.012, -0.02, -0.004, 8, "points"), "-1.2 points [-2.0, -0.4]"),
        (Estimate(0.849, 0.84, 0.858, 8, "%"), "84.9% [84.0, 85.8]"),
        (Estimate(0.1234, 0.1, 0.15, 5, "nats"), "0.123 nats [0.1, 0.15]"),
        (Estimate(0.849, math.nan, math.nan, 3, "%"), "84.9%"),
        (exact(1.855, "times"), "1.85 times"),
        (exact(123456), "123456"),
    ],
)
def test_a_number_is_told_with_its_unit_and_its_interval(number, text):
    assert number.text == text


def test_evidence_lends_its_numbers_by_name():
    shown = Evidence(True, plain=exact(1), residual=exact(2))
    assert list(shown.numbers) == ["plain", "residual"]


def test_numpys_truth_values_are_verdicts_and_other_values_are_none():
    assert all_of(np.bool_(False), True) is False
    assert any_of(np.bool_(True)) is True
    assert Evidence(np.bool_(False)).holds is False
    with pytest.raises(TypeError, match=r"0\.5 is no verdict"):
        all_of(0.5)
    with pytest.raises(TypeError, match="gap is no Estimate"):
        Evidence(True, gap=0.5)
