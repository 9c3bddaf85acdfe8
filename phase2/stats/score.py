"""What a cell is worth: one number a cell, with divergence counted as chance."""

import pandas as pd

MEASURES = ("test_accuracy", "curve_area")


def score(cells: pd.DataFrame, measure: str, classes: int) -> pd.Series:
    """The cells' scores: `measure` as a fraction, and 1/`classes` for a cell that diverged.

    A diverged network classifies nothing, so it is worth what guessing is worth; leaving it out would reward
    settings that fail often. A cell without a finite value is scored the same way.
    """
    values = pd.to_numeric(cells[measure], errors="coerce").replace([float("inf"), -float("inf")], float("nan"))
    return values.mask(cells["status"] != "ok").fillna(1 / classes).rename(measure)
