"""Every derivation holds step by step, and a slip planted in any step is caught."""

import numpy as np
import pytest

from phase2.derive.catalog import DERIVATIONS, load
from phase2.derive.derivation import Remark, WrongStep


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
            with pytest.raises(WrongStep):
                step.mistaken().check(np.random.default_rng((0, number)))
