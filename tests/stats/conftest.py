"""Small grids of finished cells with known effects."""

import gc
from itertools import product

import numpy as np
import pandas as pd
import pytest

from phase2.stats.design import Design, design


def build_cells(shape=(3, 2, 2), seeds=4, noise=0.01, rng=0) -> pd.DataFrame:
    """One row a cell of a full grid: additive effects of three factors, seed noise."""
    draw = np.random.default_rng(rng)
    names = ("activation", "init", "schedule")[: len(shape)]
    effects = [draw.normal(0, 0.04, size) for size in shape]
    rows = []
    for place in product(*map(range, shape), range(seeds)):
        value = 0.8 + sum(e[i] for e, i in zip(effects, place, strict=False)) + draw.normal(0, noise)
        axes = {name: f"{name[0]}{i}" for name, i in zip(names, place, strict=False)}
        rows.append({**axes, "seed": place[-1], "status": "ok", "diverged_step": np.nan, "val_accuracy": value})
    cells = pd.DataFrame(rows)
    return cells.assign(test_accuracy=cells.val_accuracy - 0.01, curve_area=cells.val_accuracy - 0.05)


def fail(cells: pd.DataFrame, rows) -> pd.DataFrame:
    """The same cells, of which these have diverged."""
    cells = cells.copy()
    cells.loc[rows, ["val_accuracy", "test_accuracy", "curve_area"]] = np.nan
    cells.loc[rows, "status"] = "diverged"
    cells.loc[rows, "diverged_step"] = 7
    return cells


def build_design(**options) -> Design:
    cells = build_cells(**options)
    factors = [c for c in ("activation", "init", "schedule") if c in cells]
    return design(cells, factors, "val_accuracy")


@pytest.fixture
def make_cells():
    return build_cells


@pytest.fixture
def diverge():
    return fail


@pytest.fixture
def make_design():
    return build_design


@pytest.fixture(scope="session", autouse=True)
def small_heap():
    """statsmodels' multipletests collects garbage at each call: keep what pytest has loaded out of it."""
    gc.freeze()
    yield
    gc.unfreeze()
