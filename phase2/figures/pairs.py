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
    "Paired differences between the levels of each factor, with 95% intervals. "
    "Filled: significant at 0.05 after Holm's correction.",
)

ALPHA = 0.05
HEADING = 0.3  # inches: a block's title and ticks


@styled
def pairs(*, pairs: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """A column for each measure, a block for each factor, a row for each a - b.

    Filled dots are significant at 0.05 after Holm's correction, hollow ones not. Each block has its scale.
    """
    told, factors = Score.read(score), list(pairs.factor.unique())
    if not factors:
        return sentence("no factor has two levels to compare")
    heights = [len(pairs[(pairs.measure == told.column) & (pairs.factor == factor)]) for factor in factors]
    figure = blank(ROW * sum(heights) + HEADING * len(heights) + 0.5)
    ratios = [ROW * rows + 0.05 for rows in heights]
    grid = figure.subplots(len(factors), len(told.measures), squeeze=False, sharey="row", height_ratios=ratios)
    for row, factor in enumerate(factors):
        for column, measure in enumerate(told.measures):
            here = pairs[(pairs.measure == measure) & (pairs.factor == factor)]
            axes = grid[row, column]
            axes.axvline(0, color=MUTED, linewidth=0.8)
            rows = in_unit(here.rename(columns={"difference": "mean"}), told)
            rows.index = here.a.map(label) + " − " + here.b.map(label)
            intervals(axes, rows, PALETTE[column], filled=(here.p_holm < ALPHA).to_numpy())
            axes.set_title(f"{label(factor)}: {told.name(measure)}", loc="left", fontsize=7.5)
    for axes in grid[-1]:
        axes.set_xlabel(head("difference", "percentage points" if told.is_share else told.unit))
    _legend(figure)
    return figure


def _legend(figure: Figure) -> None:
    dot: dict[str, Any] = {"marker": "o", "color": "black", "markersize": 4}
    handles = [
        Line2D([], [], label=f"Holm p < {ALPHA}", **dot),
        Line2D([], [], label=f"Holm p ≥ {ALPHA}", markerfacecolor="white", **dot),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
