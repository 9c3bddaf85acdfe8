"""Which levels differ: every pair within a factor, compared seed by seed."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from phase2.card import FigureCard
from phase2.figures.marks import ROW, in_unit, intervals
from phase2.figures.style import MUTED, PALETTE, blank, sentence, styled
from phase2.study.score import Score, head
from phase2.words.levels import label

CARD = FigureCard(
    ("pairs", "score"),
    "Paired differences of validation {score} between the levels of each factor, over the runs at which both finished: "
    "mean with its 95% t interval over seeds (their range, and no test, where they are fewer than five). Filled: "
    "significant at 0.05 after Holm's correction within the factor; what is hollow is not thereby equal.",
)

ALPHA = 0.05
PER_ROW = 3
HEADING = 0.3  # inches: a block's title and ticks


@styled
def pairs(*, pairs: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """A panel for each factor, a row for each a - b, all on one scale."""
    told = Score.read(score)
    pairs = pairs[pairs.measure == told.column]
    factors = list(pairs.factor.unique())
    if not factors:
        return sentence("no factor has two levels to compare")
    per_row = min(len(factors), PER_ROW)
    tallest = [
        max((pairs.factor == factor).sum() for factor in factors[start : start + per_row])
        for start in range(0, len(factors), per_row)
    ]
    figure = blank(ROW * sum(tallest) + HEADING * len(tallest) + 0.6)
    ratios = [ROW * rows + 0.05 for rows in tallest]
    grid = figure.subplots(len(tallest), per_row, squeeze=False, sharex=True, height_ratios=ratios).ravel()
    for spare in grid[len(factors) :]:
        spare.remove()
    for axes, factor in zip(grid, factors, strict=False):
        here = pairs[pairs.factor == factor]
        rows = in_unit(here.rename(columns={"difference": "mean"}), told)
        rows.index = here.a.map(label) + " − " + here.b.map(label)
        axes.axvline(0, color=MUTED, linewidth=0.8)
        intervals(axes, rows, PALETTE[0], filled=(here.p_holm < ALPHA).to_numpy())
        axes.set_title(label(factor), loc="left")
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(head("difference", told.points))
    _legend(figure)
    return figure


def _legend(figure: Figure) -> None:
    dot: dict[str, Any] = {"marker": "o", "color": "black", "markersize": 4}
    handles = [
        Line2D([], [], label=f"Holm p < {ALPHA}", **dot),
        Line2D([], [], label=f"Holm p ≥ {ALPHA}, or not tested", markerfacecolor="white", **dot),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
