"""The catalog names every figure, what draws it and what it reads, and costs nothing to import."""

import inspect
import subprocess
import sys

import pytest

from phase2.errors import UserError
from phase2.figures.catalog import FIGURES, OF_STUDIES, STUDY, check, load
from phase2.probe.catalog import PROBES

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("module", ["figures.catalog", "probe.catalog", "words.levels"])
def test_import_brings_in_neither_matplotlib_nor_torch(module):
    code = f"import sys, phase2.{module}; print(sorted({{'matplotlib', 'torch'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", FIGURES)
def test_keyword_arguments_of_a_figure_are_its_tables(name):
    parameters = inspect.signature(load(name)).parameters.values()
    assert tuple(parameter.name for parameter in parameters) == FIGURES[name].tables
    assert {parameter.kind for parameter in parameters} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("name", FIGURES)
def test_entry_has_known_tables_a_caption_and_a_module_of_its_own(name):
    spec = FIGURES[name]
    assert set(spec.tables) <= set(OF_STUDIES if spec.of == STUDY else PROBES[spec.of].tables)
    assert load(name).__module__ == spec.module
    assert spec.of in (STUDY, *PROBES)
    assert spec.caption.endswith(".")
    assert "\n" not in spec.caption


def test_unknown_figure_names_the_nearest():
    with pytest.raises(UserError, match="unknown figure 'rankin': did you mean 'ranking'"):
        load("rankin")


def test_a_figure_is_refused_of_what_it_is_not_drawn_of():
    check(["ranking", "variance"], STUDY)
    with pytest.raises(UserError, match="unknown figure of a study 'gradient_flow'"):
        check(["gradient_flow"], STUDY)
    with pytest.raises(UserError, match=r"unknown figure of the probe mean_field 'ranking'.*Known: mean_field"):
        check(["ranking"], "mean_field")
