"""Schedules made of schedules, against torch's SequentialLR and ChainedScheduler."""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rates import rates, torch_rates
from torch.optim import lr_scheduler as lrs

from phase2 import registry, schedules
from phase2.errors import UserError
from phase2.schedules import product, sequence

LR = 0.3
PARTS = (
    partial(schedules.linear, start_factor=0.1, end_factor=1.0, total_iters=4),
    partial(schedules.exponential, gamma=0.9),
    partial(schedules.step, step_size=3, gamma=0.5),
)


def torch_parts(o):
    return [lrs.LinearLR(o, 0.1, total_iters=4), lrs.ExponentialLR(o, 0.9), lrs.StepLR(o, 3, 0.5)]


@pytest.mark.parametrize("milestones", [[1, 2], [4, 15], [7, 30], [5, 5]])
def test_sequence_matches_sequential_lr(milestones):
    expected = torch_rates(lambda o: lrs.SequentialLR(o, torch_parts(o), milestones), 30, LR)
    assert rates(sequence(*PARTS, milestones=milestones), 30, LR) == pytest.approx(expected, rel=1e-12)


def test_product_matches_chained_scheduler():
    expected = torch_rates(lambda o: lrs.ChainedScheduler(torch_parts(o)), 30, LR)
    assert rates(product(*PARTS), 30, LR) == pytest.approx(expected, rel=1e-12)


def test_sequences_and_products_compose():
    both = product(sequence(schedules.constant, schedules.linear, milestones=[4]), PARTS[1])
    assert both(3, 8, LR) == pytest.approx(LR * 0.9**3)
    assert both(6, 8, LR) == pytest.approx(LR * 0.5 * 0.9**6)


@settings(max_examples=30)
@given(st.lists(st.sampled_from(registry.names("schedule")), min_size=1, max_size=4), st.data())
def test_a_sequence_gives_every_part_its_own_steps(names, data):
    parts = [registry.load("schedule", name) for name in names]
    lengths = data.draw(st.lists(st.integers(1, 30), min_size=len(parts), max_size=len(parts)))
    ends = [sum(lengths[: i + 1]) for i in range(len(lengths))]
    expected = [rate for part, length in zip(parts, lengths, strict=True) for rate in rates(part, length, LR)]
    assert rates(sequence(*parts, milestones=ends[:-1]), ends[-1], LR) == expected


@settings(max_examples=30)
@given(st.lists(st.sampled_from(registry.names("schedule")), max_size=3), st.integers(1, 60), st.data())
def test_a_product_never_leaves_the_range_of_its_factors(names, total, data):
    step = data.draw(st.integers(0, total - 1))
    factors = [registry.load("schedule", name) for name in names]
    rate = product(*factors)(step, total, LR)
    assert 0 <= rate <= min([LR, *(factor(step, total, LR) for factor in factors)]) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("milestones", "message"),
    [
        ([10, 4], r"milestones=\[10, 4\]: expected steps of at least 1 in rising order"),
        ([0, 4], r"milestones=\[0, 4\]: expected steps of at least 1 in rising order"),
        ([4], r"milestones=\[4\]: expected one fewer than the 3 parts of the sequence"),
        ([4, 31], r"milestones=\[4, 31\]: expected steps of at most total=30"),
    ],
)
def test_wrong_milestones_are_named(milestones, message):
    with pytest.raises(UserError, match=message):
        sequence(*PARTS, milestones=milestones)(0, 30, LR)


@pytest.mark.parametrize("composed", [sequence(schedules.constant, milestones=[]), product()])
def test_compositions_check_the_training(composed):
    assert composed(2, 3, LR) == LR
    for arguments, message in {(3, 3, LR): "step=3", (0, 0, LR): "total=0", (0, 3, -1.0): "lr=-1.0"}.items():
        with pytest.raises(UserError, match=message):
            composed(*arguments)
