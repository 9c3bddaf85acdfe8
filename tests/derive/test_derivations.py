"""Every derivation holds step by step, and a slip planted in any step is caught."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy

from phase2.derive.catalog import DERIVATIONS, USED, load
from phase2.derive.derivation import Numeric, Remark, Symbolic, WrongStep

SHARE = 0.6
LIBRARY = Path(__file__).parents[2] / "phase2"


@pytest.mark.parametrize("name", DERIVATIONS)
def test_every_step_holds(name: str):
    derivation = load(name)()
    assert derivation.name == name
    ways = derivation.check()
    assert sum(way != "" for way in ways) >= 3, "a derivation needs at least three steps that are checked"


@pytest.mark.parametrize("name", DERIVATIONS)
def test_a_slip_in_any_step_is_caught(name: str):
    for number, step in enumerate(load(name)().steps, start=1):
        if not isinstance(step, Remark):
            for mistaken in step.mistaken():
                with pytest.raises(WrongStep):
                    mistaken.check(np.random.default_rng((0, number)))


def numbers(formula: str) -> list[re.Match[str]]:
    """Every number of a formula that is no index: where a slip can be made."""
    return list(re.finditer(r"(?<![_\d.])(?<!_\{)(?:\d+\.\d+|\d(?=\D|$)|(?<=frac)\d|(?<=frac\d)\d|\d+)", formula))


def changed(number: str) -> str:
    """Another number of as many digits."""
    return number[:-1] + str((int(number[-1]) + 3) % 10)


def caught(step: Symbolic | Numeric, seed: tuple[int, int]) -> tuple[int, int]:
    """Of the numbers in a printed formula: how many cannot be changed without notice, and how many there are."""
    rng, formula = np.random.default_rng(seed), step.formula
    found = numbers(formula)
    if isinstance(step, Numeric):
        values = step.case(rng)
        if isinstance(values, tuple):
            return 0, len(found)
        step = replace(step, case=lambda rng: values, at=lambda rng: step.at and values)
    point = step._point(rng) if isinstance(step, Symbolic) else {}
    seen = 0
    for number in found:
        latex = formula[: number.start()] + changed(number[0]) + formula[number.end() :]
        wrong = replace(step, latex=latex)
        try:
            wrong._read(point) if isinstance(wrong, Symbolic) else wrong.check(rng)
        except (WrongStep, ZeroDivisionError, OverflowError):
            seen += 1
    return seen, len(found)


def test_most_numbers_of_the_formulas_in_symbols_cannot_be_changed_unnoticed():
    """What is left stands in integrals, limits, indices and powers of names, which are not read."""
    seen = total = 0
    for name in DERIVATIONS:
        for number, step in enumerate(load(name)().steps, start=1):
            if isinstance(step, Symbolic) and step.latex:
                seen, total = (a + b for a, b in zip((seen, total), caught(step, (0, number)), strict=True))
    assert seen >= SHARE * total, f"{seen} of {total} numbers"


def test_every_derivation_says_where_it_is_used_and_all_that_is_named_is_there():
    assert list(USED) == list(DERIVATIONS)
    for name, modules in USED.items():
        assert modules, name
        for module in modules:
            place = LIBRARY.joinpath(*module.split("."))
            assert place.with_suffix(".py").is_file() or place.joinpath("__init__.py").is_file(), f"{name}: {module}"


def test_a_bound_has_to_say_how_near_it_is():
    x = sympy.Symbol("x", positive=True)
    with pytest.raises(WrongStep, match="nowhere how near"):
        Symbolic("far off", x, 100 * x, relation="<=").check(np.random.default_rng(0))
    with pytest.raises(WrongStep, match="is 100 times what it bounds"):
        Symbolic("far off", x, 100 * x, relation="<=", at={x: 1}).check(np.random.default_rng(0))
    with pytest.raises(WrongStep, match="100 times what it bounds"):
        Numeric("far off", "", lambda rng: (1, 100), relation="<=", at=lambda rng: (1, 100)).check(
            np.random.default_rng(0)
        )
