"""Realistic mistakes, planted: one step of a derivation is changed, and the check has to name that step."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from phase2.derive.catalog import load
from phase2.derive.derivation import Derivation, Remark, WrongStep

Mistake = tuple[str, dict[str, Any]]  # words of the step, and what of it is changed


def each(mistakes: dict[str, dict[str, Mistake]]) -> list[tuple[str, str]]:
    """Every mistake as (derivation, what is mistaken)."""
    return [(name, mistake) for name, of_one in mistakes.items() for mistake in of_one]


@cache
def correct(name: str) -> Derivation:
    """A derivation as it is."""
    return load(name)()


def misprint(name: str, words: str, old: str, new: str) -> dict[str, Any]:
    """The step that has `words` with something else in its printed formula."""
    (step,) = (step for step in correct(name).steps if words in step.text)
    assert step.formula.count(old) == 1, f"{old} is not once in {step.formula}"
    return {"latex": step.formula.replace(old, new)}


def assert_caught(name: str, words: str, **changes: Any) -> None:
    """The step that has `words` fails its check once it is changed; the other steps are not checked again."""
    derivation = correct(name)
    (number,) = (number for number, step in enumerate(derivation.steps) if words in step.text)
    steps = [Remark(step.text) for step in derivation.steps]
    steps[number] = replace(derivation.steps[number], **changes)
    with pytest.raises(WrongStep, match=f"^{name}, step {number + 1}: "):
        replace(derivation, steps=steps).check()
