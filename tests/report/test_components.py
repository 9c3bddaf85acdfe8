import inspect

import pytest
import torch

from phase2 import registry, schedules
from phase2.nn import LeakyReLU
from phase2.nn.initial.lsuv import TOLERANCE


def test_every_part_has_a_definition_and_a_label():
    parts = [part for kind in registry.ROOMS for part in registry.parts(kind).values()]
    assert all(part.card.definition and part.card.label for part in parts)


def default(function, name):
    return inspect.signature(function).parameters[name].default


def test_constants_in_the_formulas_are_those_of_the_code():
    assert LeakyReLU()(torch.tensor([-1.0])).item() == pytest.approx(-0.01)
    assert TOLERANCE == 0.02
    assert default(schedules.step, "gamma") == 0.1
    assert default(schedules.one_cycle, "pct_start") == 0.3
    assert (default(schedules.one_cycle, "div_factor"), default(schedules.one_cycle, "final_div_factor")) == (25, 1e4)
    assert default(schedules.linear_warmup, "start_factor") == pytest.approx(1 / 3)
    assert default(schedules.warm_restarts, "T_mult") == 2


def test_step_falls_by_thirds_as_its_formula_says():
    assert [schedules.step(t, 9, 1.0) for t in range(9)] == pytest.approx([0.1 ** (t // 3) for t in range(9)])
