"""What a cell is worth: one number a cell, with divergence counted as a guess."""

import pandas as pd


def scored(cells: pd.DataFrame, measure: str, chance: float) -> pd.Series:
    """The cells' values of `measure`, and `chance` for a cell that diverged.

    A diverged network has learnt nothing, so it is worth what guessing is worth; leaving it out would reward
    settings that fail often. A cell without a finite value is scored the same way.
    """
    values = pd.to_numeric(cells[measure], errors="coerce").replace([float("inf"), -float("inf")], float("nan"))
    return values.mask(cells["status"] != "ok").fillna(chance).rename(measure)
