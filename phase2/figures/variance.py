"""How much of the variance each factor and interaction explains."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from phase2.card import FigureCard
from phase2.figures.style import MUTED, PALETTE, blank, sentence, styled
from phase2.study.score import Score
from phase2.words.levels import term_label

CARD = FigureCard(
    ("variance", "score"),
    "Share of the variance of {score} on validation that each factor and each interaction explains, over the seeds at "
    "which every run finished. A dash, where there is one: it cannot be told, for lack of two such seeds. The "
    "learning-curve area is the mean of the same score over all epochs.",
)

BAR = 0.22  # inches
KINDS: dict[str, dict[str, Any]] = {
    "factor": {"facecolor": PALETTE[0], "edgecolor": PALETTE[0]},
    "interaction": {"facecolor": "white", "edgecolor": PALETTE[1], "hatch": "/////"},
    "seed and residual": {"facecolor": "#D0D0D0", "edgecolor": MUTED},
}


@styled
def variance(*, variance: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """A panel for each measure: each term's share of its variance in percent."""
    told = Score.read(score)
    if variance.share.isna().all():
        return sentence(
            "shares of the variance cannot be told: at fewer than two seeds did every run finish, or all are equal"
        )
    terms = list(variance.term.unique())
    figure = blank(BAR * len(terms) + 0.85)
    grid = figure.subplots(1, len(told.measures), sharex=True, sharey=True, squeeze=False)[0]
    for axes, measure in zip(grid, told.measures, strict=True):
        shares = variance[variance.measure == measure].set_index("term")["share"]
        _bars(axes, 100 * shares.reindex(terms))
        axes.set_title(told.name(measure))
        axes.set_xlabel("share of variance (%)")
    grid[0].set_yticks(range(len(terms)), [term_label(term) for term in terms])
    grid[0].set_ylim(len(terms) - 0.5, -0.5)
    largest = 100 * variance["share"].max()
    grid[0].set_xlim(0, 1.18 * largest if largest > 0 else 100)  # room for the last number
    shown = {_kind(term) for term in terms}
    handles = [Patch(label=kind, **look) for kind, look in KINDS.items() if kind in shown]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _bars(axes: Axes, shares: pd.Series) -> None:
    """One bar a term with its number; a share that could not be computed is a dash."""
    for position, (term, share) in enumerate(shares.items()):
        axes.barh(position, share, height=0.68, linewidth=0.8, **KINDS[_kind(str(term))])
        text = "–" if np.isnan(share) else f"{share:.1f}"
        place = (np.nan_to_num(share), position)
        axes.annotate(text, place, (3, 0), textcoords="offset points", va="center", fontsize=7.5)
    axes.grid(axis="x")


def _kind(term: str) -> str:
    if term in ("seed", "residual"):
        return "seed and residual"
    return "interaction" if ":" in term else "factor"
