"""How much of the variance each factor and interaction explains."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from phase2.figures.labels import label, term_label
from phase2.figures.style import MUTED, PALETTE, blank, styled

BAR = 0.22  # inches
KINDS = {
    "factor": {"facecolor": PALETTE[0], "edgecolor": PALETTE[0]},
    "interaction": {"facecolor": "white", "edgecolor": PALETTE[1], "hatch": "/////"},
    "seed and residual": {"facecolor": "#D0D0D0", "edgecolor": MUTED},
}


@styled
def variance(*, variance: pd.DataFrame) -> Figure:
    """A panel for each measure: each term's share of the variance in percent with its interval, terms in table order."""
    measures = list(variance.measure.unique())
    terms = list(variance.term.unique())
    figure = blank(BAR * len(terms) + 0.85)
    grid = figure.subplots(1, len(measures), sharex=True, sharey=True, squeeze=False)[0]
    kinds = [_kind(term) for term in terms]
    for axes, measure in zip(grid, measures, strict=True):
        rows = (
            variance[variance.measure == measure].set_index("term").reindex(terms)[["share", "low", "high"]]
            * 100
        )
        y = np.arange(len(terms))
        for position, (kind, share) in enumerate(zip(kinds, rows.share, strict=True)):
            axes.barh(position, share, height=0.68, linewidth=0.8, **KINDS[kind])
        axes.hlines(y, rows.low, rows.high, color="black", linewidth=1)
        ends = rows[["share", "high"]].max(axis=1)
        for position in np.flatnonzero(ends.notna()):
            where = {"xy": (ends.iat[position], position), "xytext": (3, 0), "textcoords": "offset points"}
            axes.annotate(f"{rows.share.iat[position]:.1f}", va="center", fontsize=7, **where)
        axes.set_title(label(measure))
        axes.set_xlabel("share of variance (%)")
        axes.grid(axis="x")
    grid[0].set_yticks(y, [term_label(term) for term in terms])
    grid[0].set_ylim(len(terms) - 0.5, -0.5)
    largest = variance[["share", "high"]].max(axis=None)
    grid[0].set_xlim(0, 118 * largest if largest > 0 else 100)
    handles = [Patch(label=kind, **look) for kind, look in KINDS.items() if kind in kinds]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _kind(term: str) -> str:
    if term in ("seed", "residual"):
        return "seed and residual"
    return "interaction" if ":" in term else "factor"
