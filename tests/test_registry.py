"""Names of components: each leads to what it names, and a wrong one is told the nearest."""

import subprocess
import sys

import pytest

from phase2.errors import UserError, unknown
from phase2.registry import COMPONENTS, load, module_of, names

ENTRIES = [(kind, name) for kind, table in COMPONENTS.items() for name in table]


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_name_leads_to_its_component(kind: str, name: str):
    component = load(kind, name)
    assert callable(component)
    assert component.__module__ == module_of(kind, name)


@pytest.mark.parametrize("kind", COMPONENTS)
def test_an_unknown_name_is_told_the_nearest(kind: str):
    known = names(kind)[0]
    with pytest.raises(UserError, match=rf"unknown {kind} '{known}x': did you mean '{known}'\? Known: "):
        module_of(kind, f"{known}x")
    with pytest.raises(UserError, match=f"unknown {kind} 'zzzzzzzz': Known: "):
        load(kind, "zzzzzzzz")


def test_all_known_names_are_listed_in_order():
    assert str(unknown("axis", "seeds", ["width", "seed"])) == (
        "unknown axis 'seeds': did you mean 'seed'? Known: seed, width"
    )


def test_a_user_error_is_a_value_error():
    assert issubclass(UserError, ValueError)


def test_the_registry_imports_nothing_until_a_component_is_loaded():
    code = """
import sys
from phase2 import registry
assert not {"torch", "numpy"} & sys.modules.keys()
registry.load("schedule", "cosine")
assert "phase2.schedules.cosine" in sys.modules
assert "phase2.models.mlp" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
