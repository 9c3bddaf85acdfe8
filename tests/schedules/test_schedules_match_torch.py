"""Each schedule against torch's scheduler, at every step of trainings of many lengths."""

import pytest
from rates import TOTALS, rates, torch_history, torch_rates
from torch.optim import lr_scheduler as lrs

from phase2 import registry, schedules

pytestmark = pytest.mark.quick

LR = 0.3


def third(total):
    return max(1, total // 3)


def warmup(total):
    return max(1, total // 10)


def halves(total):
    return [-(-total // 2), -(-3 * total // 4)]


def rise_then(fall):
    """torch's linear warm-up, and `fall(optimizer, steps)` after it."""
    return lambda o, total: lrs.SequentialLR(
        o, [lrs.LinearLR(o, 1 / 3, total_iters=warmup(total)), fall(o, total - warmup(total))], [warmup(total)]
    )


def stable_decay(o, total):
    decay = total // 10
    rise, stable = lrs.LinearLR(o, 1 / 3, total_iters=warmup(total)), lrs.ConstantLR(o, 1.0)
    fall = lrs.LinearLR(o, 1.0, 0.0, total_iters=max(1, decay))
    return lrs.SequentialLR(o, [rise, stable, fall], [warmup(total), max(warmup(total), total - decay)])


def one_cycle(**options):
    return lambda o, total: lrs.OneCycleLR(o, LR, total_steps=total, cycle_momentum=False, **options)


LATE = {"pct_start": 0.63, "div_factor": 10.0, "final_div_factor": 50.0}
MATCHES = {
    "constant": ({}, lambda o, total: lrs.ConstantLR(o, factor=1.0)),
    "step": ({}, lambda o, total: lrs.StepLR(o, third(total), 0.1)),
    "step by 2": ({"step_size": 2, "gamma": 0.7}, lambda o, total: lrs.StepLR(o, 2, 0.7)),
    "multi_step": ({}, lambda o, total: lrs.MultiStepLR(o, halves(total), 0.1)),
    "multi_step twice at once": (
        {"milestones": [2, 2, 9], "gamma": 0.7},
        lambda o, total: lrs.MultiStepLR(o, [2, 2, 9], 0.7),
    ),
    "exponential": ({}, lambda o, total: lrs.ExponentialLR(o, 0.01 ** (1 / total))),
    "exponential by 0.9": ({"gamma": 0.9}, lambda o, total: lrs.ExponentialLR(o, 0.9)),
    "linear": ({}, lambda o, total: lrs.LinearLR(o, 1.0, 0.0, total_iters=total)),
    "linear as in torch": (
        {"start_factor": 1 / 3, "end_factor": 1.0, "total_iters": 5},
        lambda o, total: lrs.LinearLR(o),
    ),
    "polynomial": ({}, lambda o, total: lrs.PolynomialLR(o, total, power=0.9)),
    "polynomial as in torch": ({"total_iters": 5, "power": 1.0}, lambda o, total: lrs.PolynomialLR(o)),
    "cosine": ({}, lambda o, total: lrs.CosineAnnealingLR(o, total)),
    "cosine to a floor": ({"eta_min": 0.01}, lambda o, total: lrs.CosineAnnealingLR(o, total, eta_min=0.01)),
    "warm_restarts": ({}, lambda o, total: lrs.CosineAnnealingWarmRestarts(o, -(-total // 7), 2)),
    "warm_restarts of one length": (
        {"T_0": 4, "T_mult": 1, "eta_min": 0.01},
        lambda o, total: lrs.CosineAnnealingWarmRestarts(o, 4, 1, eta_min=0.01),
    ),
    "warm_restarts tripled": (
        {"T_0": 3, "T_mult": 3},
        lambda o, total: lrs.CosineAnnealingWarmRestarts(o, 3, 3),
    ),
    "equal_restarts": ({}, lambda o, total: lrs.CosineAnnealingWarmRestarts(o, -(-total // 3))),
    "one_cycle": ({}, one_cycle()),
    "one_cycle with a late peak": (LATE, one_cycle(**LATE)),
    "one_cycle in three phases": ({"three_phase": True}, one_cycle(three_phase=True)),
    "one_cycle_momentum": ({}, one_cycle()),
    "one_cycle_momentum with a late peak": (LATE, one_cycle(**LATE)),
    "linear_warmup": ({}, lambda o, total: lrs.LinearLR(o, 1 / 3, total_iters=warmup(total))),
    "linear_warmup throughout": (
        {"warmup_steps": 1, "start_factor": 0.1},
        lambda o, total: lrs.LinearLR(o, 0.1, total_iters=1),
    ),
    "warmup_cosine": ({}, rise_then(lambda o, steps: lrs.CosineAnnealingLR(o, max(1, steps)))),
    "warmup_cosine to a floor": (
        {"eta_min": 0.01},
        rise_then(lambda o, steps: lrs.CosineAnnealingLR(o, max(1, steps), eta_min=0.01)),
    ),
    "warmup_stable_decay": ({}, stable_decay),
}


@pytest.mark.parametrize("case", MATCHES)
@pytest.mark.parametrize("total", TOTALS)
def test_schedule_matches_torch_at_every_step(case, total):
    options, build = MATCHES[case]
    expected = torch_rates(lambda o: build(o, total), total, LR)
    assert rates(case.split()[0], total, LR, **options) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_every_schedule_that_torch_has_is_compared():
    without = {"cosine_warmup", "inverse_sqrt", "triangle"}
    assert {case.split()[0] for case in MATCHES} == set(registry.names("schedule")) - without


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"pct_start": 0.45, "three_phase": True},
        {"pct_start": 0.63, "base_momentum": 0.8, "max_momentum": 0.99},
    ],
)
@pytest.mark.parametrize("total", TOTALS)
def test_momentum_cycles_as_in_torch(options, total):
    history = torch_history(lambda o: lrs.OneCycleLR(o, LR, total_steps=total, **options), total, LR)
    ours = [schedules.one_cycle_momentum.momentum(step, total, **options) for step in range(total)]
    assert ours == pytest.approx([options["momentum"] for options in history], rel=1e-12)


@pytest.mark.parametrize("name", registry.names("schedule"))
def test_schedule_is_a_factor_of_the_base_rate_for_torchs_lambda(name):
    schedule = registry.load("schedule", name)
    expected = torch_rates(lambda o: lrs.LambdaLR(o, lambda step: schedule(min(step, 49), 50, 1.0)), 50, LR)
    assert rates(name, 50, LR) == pytest.approx(expected, rel=1e-12, abs=1e-15)
