"""The best and worst combinations, and the levels of each factor averaged over everything else."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import ROW, in_unit, intervals
from phase2.figures.style import PALETTE, blank, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.words.levels import crossed, label, printed

CARD = FigureCard(
    ("ranking", "levels", "score"),
    "The best and the worst combinations, and each level averaged over all others, by each measure: "
    "mean with its 95% interval. Each block has its own scale.",
)

BEST, WORST = 15, 5
HEADING = 0.3  # inches: a block's title and ticks


@styled
def ranking(*, ranking: pd.DataFrame, levels: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """A column for each measure, in the score's unit: the best and worst combinations, then each factor's levels.

    Each block has its own scale, because the best differ by far less than the best from the worst.
    """
    told = Score.read(score)
    columns = [_blocks(ranking, levels, measure, told.name(measure)) for measure in told.measures]
    heights = [len(rows) for _, rows in columns[0]]
    figure = blank(ROW * sum(heights) + HEADING * len(heights) + 0.45)
    ratios = [ROW * rows + 0.05 for rows in heights]
    grid = figure.subplots(len(heights), len(columns), squeeze=False, height_ratios=ratios)
    for column, (measure, blocks) in enumerate(zip(told.measures, columns, strict=True)):
        for row, (title, rows) in enumerate(blocks):
            _block(grid[row, column], title, in_unit(rows, told), PALETTE[column])
        grid[-1, column].set_xlabel(told.in_unit(told.name(measure)))
    return figure


def _blocks(ranking: pd.DataFrame, levels: pd.DataFrame, measure: str, name: str) -> list[tuple[str, pd.DataFrame]]:
    """The titles and rows of one measure's column, top to bottom."""
    factors = factors_of(ranking, before="mean")
    ranked = ranking[ranking.measure == measure].sort_values("rank")
    ranked.index = ranked["rank"].map("{}. ".format) + crossed(ranked, factors).astype(str)
    best, rest = ranked[:BEST], ranked[BEST:]
    blocks = [(f"{name}\nbest {len(best)} of {len(ranked)}", best)]
    if len(rest):
        blocks.append((f"worst {len(rest[-WORST:])}", rest[-WORST:]))
    for factor, rows in levels[levels.measure == measure].groupby("factor", sort=False):
        names = printed(rows.level)
        blocks.append((f"by {label(factor)}", rows.set_index(names).sort_index()))
    return blocks


def _block(axes: Axes, title: str, rows: pd.DataFrame, colour: str) -> None:
    intervals(axes, rows, colour)
    axes.set_title(title, loc="left", fontsize=7.5)
