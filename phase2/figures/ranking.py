"""The best combinations with how far each is behind the best, and the levels of each factor."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from phase2.card import FigureCard
from phase2.figures.marks import ROW, final_scores, in_unit, intervals
from phase2.figures.style import MUTED, PALETTE, blank, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score, head
from phase2.words.levels import crossed, label, printed

CARD = FigureCard(
    ("ranking", "levels", "score"),
    "Validation {score} of the best combinations: mean with its 95% t interval over seeds (their range where they are "
    "fewer than five), and how far each is behind the best of the others, with bounds that hold at once for all. "
    "Filled: this one may be the best, also because its runs spread too widely to rule it out. Below, the means of "
    "each level over all others, hollow where runs failed.",
)

BEST = 15
WIDE = 4  # times the farthest that one is behind or may be ahead
PER_ROW = 3  # factors
HEADING = 0.55  # inches: a block's title, ticks and name of its axis


@styled
def ranking(*, ranking: pd.DataFrame, levels: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """Above, the best combinations by their score, and beside it their distance from the best; below, a panel for each
    factor with its levels, all on one scale.
    """
    told = Score.read(score)
    best = final_scores(ranking, told).sort_values("rank", kind="stable")[:BEST]
    means = levels[levels.measure == told.column]
    factors = list(means.factor.unique())
    rows = -(-len(factors) // PER_ROW)
    tallest = means.groupby("factor").size().max()
    heights = (ROW * len(best) + HEADING, rows * (ROW * tallest + HEADING))
    figure = blank(sum(heights))
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=heights).ravel()
    _best(upper, best, ranking, told)
    grid = lower.subplots(rows, min(len(factors), PER_ROW), squeeze=False, sharex=True).ravel()
    for spare in grid[len(factors) :]:
        spare.remove()
    for axes, factor in zip(grid, factors, strict=False):
        _levels(axes, means[means.factor == factor], told)
        axes.set_title(f"by {label(factor)}", loc="left")
        axes.tick_params(labelbottom=True)
    lower.supxlabel(told.on("validation"))
    return figure


def _best(figure: SubFigure, best: pd.DataFrame, ranking: pd.DataFrame, told: Score) -> None:
    names = best["rank"].map("{}. ".format) + crossed(best, factors_of(ranking, before="mean")).astype(str)
    scores, behind = figure.subplots(1, 2, sharey=True)
    intervals(scores, best.set_index(names), PALETTE[0], filled=(best.failed == 0).to_numpy())
    scores.set_title(f"best {len(best)} of {(ranking.measure == told.column).sum()}", loc="left")
    scores.set_xlabel(told.on("validation"))
    bounds = {"mean": best.behind, "low": best.behind_low, "high": best.behind_high}
    behind.axvline(0, color=MUTED, linewidth=0.8)
    distances = (told.scale * pd.DataFrame(bounds)).set_index(names)
    intervals(behind, distances, PALETTE[1], filled=best.may_be_best.eq(True).to_numpy())
    near = WIDE * max(distances["mean"].abs().max(), -distances.low.min(), key=np.nan_to_num)
    left, right = distances.min().min(), min(distances.max().max(), near)  # a bound far beyond runs off the axis
    if left < right:
        behind.set_xlim(left - 0.05 * (right - left), right + 0.05 * (right - left))
    behind.set_xlabel(head("behind the best of the others", told.points))


def _levels(axes: Axes, rows: pd.DataFrame, told: Score) -> None:
    rows = rows.set_index(printed(rows.level)).sort_index()
    rows.index = rows.index.astype(str) + rows.failed.map(" ({} failed)".format).where(rows.failed > 0, "")
    intervals(axes, in_unit(rows, told), PALETTE[0], filled=(rows.failed == 0).to_numpy())
