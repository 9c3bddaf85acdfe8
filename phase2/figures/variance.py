"""How much of the variance each factor and interaction explains."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from phase2.card import FigureCard
from phase2.figures.style import MUTED, PALETTE, blank, styled
from phase2.study.score import Score
from phase2.words.levels import term_label

CARD = FigureCard(
    ("variance", "score"),
    "Share of the variance that each factor and each interaction explains, with its 95% interval.",
)

BAR = 0.22  # inches
KINDS: dict[str, dict[str, Any]] = {
    "factor": {"facecolor": PALETTE[0], "edgecolor": PALETTE[0]},
    "interaction": {"facecolor": "white", "edgecolor": PALETTE[1], "hatch": "/////"},
    "seed and residual": {"facecolor": "#D0D0D0", "edgecolor": MUTED},
}


@styled
def variance(*, variance: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """A panel for each measure: each term's share of its variance in percent with the interval."""
    told = Score.read(score)
    terms = list(variance.term.unique())
    figure = blank(BAR * len(terms) + 0.85)
    grid = figure.subplots(1, len(told.measures), sharex=True, sharey=True, squeeze=False)[0]
    for axes, measure in zip(grid, told.measures, strict=True):
        shares = variance[variance.measure == measure].set_index("term")[["share", "low", "high"]]
        _bars(axes, 100 * shares.reindex(terms))
        axes.set_title(told.name(measure))
        axes.set_xlabel("share of variance (%)")
    grid[0].set_yticks(range(len(terms)), [term_label(term) for term in terms])
    grid[0].set_ylim(len(terms) - 0.5, -0.5)
    largest = variance[["share", "high"]].max().max()
    grid[0].set_xlim(0, 118 * largest if largest > 0 else 100)  # room for the last number
    shown = {_kind(term) for term in terms}
    handles = [Patch(label=kind, **look) for kind, look in KINDS.items() if kind in shown]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _bars(axes: Axes, rows: pd.DataFrame) -> None:
    """One bar a term with its interval and its number; a share that could not be computed is a dash."""
    y = np.arange(len(rows))
    looks = [KINDS[_kind(term)] for term in rows.index]
    for position, share, look in zip(y, rows.share, looks, strict=True):
        axes.barh(position, share, height=0.68, linewidth=0.8, **look)
    axes.hlines(y, rows.low, rows.high, color="black", linewidth=1)
    ends = rows[["share", "high"]].max(axis=1).fillna(0)
    for position, end, share in zip(y, ends, rows.share, strict=True):
        text = "–" if np.isnan(share) else f"{share:.1f}"
        axes.annotate(text, (end, position), (3, 0), textcoords="offset points", va="center", fontsize=7)
    axes.grid(axis="x")


def _kind(term: str) -> str:
    if term in ("seed", "residual"):
        return "seed and residual"
    return "interaction" if ":" in term else "factor"
