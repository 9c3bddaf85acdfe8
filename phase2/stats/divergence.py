"""Where training fails: cells that diverged, and cells that ran to the end and learned nothing."""

import pandas as pd

from phase2.study.score import Score

STUCK_MARGIN = 0.02  # final validation score better than chance by no more than this


def divergence(cells: pd.DataFrame, factors: list[str], score: Score) -> pd.DataFrame:
    """One row a combination of `factors`, in their order of appearance.

    Columns: <factors>, cells, diverged, stuck (counts), diverged_fraction, stuck_fraction, first_step,
    median_step (of divergence; NaN if none diverged).
    """
    final = score.sign * pd.to_numeric(cells[score.column], errors="coerce")
    diverged = cells["status"] != "ok"
    marked = cells[factors].assign(
        diverged=diverged,
        stuck=~diverged & (final <= score.worth_of_chance + STUCK_MARGIN),
        step=pd.to_numeric(cells["diverged_step"], errors="coerce"),
    )
    table = (
        marked.groupby(factors or (lambda _: 0), sort=False, observed=True)  # all are one combination of no factor
        .agg(
            cells=("diverged", "size"),
            diverged=("diverged", "sum"),
            stuck=("stuck", "sum"),
            diverged_fraction=("diverged", "mean"),
            stuck_fraction=("stuck", "mean"),
            first_step=("step", "min"),
            median_step=("step", "median"),
        )
        .reset_index(drop=not factors)
    )
    return table
