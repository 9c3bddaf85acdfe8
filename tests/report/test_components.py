import inspect

import pytest
import torch

from phase2 import registry, schedules
from phase2.nn.activations import LeakyReLU
from phase2.nn.lsuv import TOLERANCE
from phase2.report.components import COMPONENTS, DATASETS, MODELS, OPTIMIZERS
from phase2.report.describe import PLURALS
from phase2.study.cell import PLACES
from phase2.study.section import NO_NORM


@pytest.mark.parametrize("kind", list(COMPONENTS))
def test_every_component_of_the_registry_is_described(kind):
    assert set(COMPONENTS[kind]) - {NO_NORM} == set(registry.names(kind))


def test_every_model_optimizer_and_image_dataset_is_described():
    assert set(MODELS) == set(registry.names("model"))
    assert set(OPTIMIZERS) == set(registry.names("optimizer"))
    assert set(DATASETS) == set(registry.names("dataset")) - {"tinyshakespeare"}


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


def test_every_axis_has_a_plural():
    assert set(PLURALS) == set(PLACES) - {"seed"}
