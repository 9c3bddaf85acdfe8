"""How the largest error of trained networks falls with width and depth, and what the fits look like."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import bars, ranges, sizes_across
from phase2.figures.style import PALETTE, blank, nothing_without, styled
from phase2.words.levels import label

CARD = FigureCard(
    ("errors", "fits"),
    "Universal approximation, tried: perceptrons fitted until their error falls no more (by less than a tenth in 100 "
    "iterations of L-BFGS). Above, the largest error on [-1, 1] by width: geometric mean over seeds with their range; "
    "a cross, where there is one, is a fit that was stopped before. Below, what the narrowest and the widest network "
    "of the greatest depth and the first seed, named in the legend, fit. No continuous function is near both sides of "
    "the jump of a step: the error there depends on how near the grid's points are, and is large where a fit "
    "overshoots.",
)

HEIGHT = 3.3
SHOWN_DEPTH = -1  # of the depths: the fits shown are of the deepest networks


@styled
@nothing_without("errors", "sup_error")
def approximation(*, errors: pd.DataFrame, fits: pd.DataFrame) -> Figure:
    """A column a target: above, sup-norm error by width with a line a depth; below, the target and two of its fits.

    A line is the geometric mean over seeds, its bars their range. The fits are the first seed's, of the narrowest and
    of the widest network of the greatest depth.
    """
    targets, depths = errors.target.unique(), sorted(errors.depth.unique())
    figure = blank(HEIGHT)
    grid = figure.subplots(2, len(targets), sharey="row", squeeze=False)
    for column, target in enumerate(targets):
        _errors(grid[0, column], errors[errors.target == target], depths)
        _fits(grid[1, column], fits[(fits.target == target) & (fits.depth == depths[SHOWN_DEPTH])])
        grid[0, column].set(title=label(target), xlabel="width")
        grid[1, column].set(xlabel="x")
    grid[0, 0].set_ylabel("largest error")
    grid[1, 0].set_ylabel("value")
    below = f"depth {depths[SHOWN_DEPTH]}, seed {errors.seed.iloc[0]}"
    for row, title in ((0, "depth"), (1, below)):
        grid[row, -1].legend(title=title, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _errors(axes: Axes, errors: pd.DataFrame, depths: list[int]) -> None:
    axes.set_yscale("log")
    axes.grid()
    for index, depth in enumerate(depths):
        by_width = errors[errors.depth == depth].groupby("width").sup_error
        bars(axes, ranges(by_width, geometric=True), index, label=str(depth))
    stopped = errors[~errors.converged.astype(bool)]
    axes.plot(stopped.width, stopped.sup_error, "x", color="black", markersize=4, zorder=4)
    sizes_across(axes, sorted(errors.width.unique()))
    axes.yaxis.set_major_formatter("{x:g}")


def _fits(axes: Axes, fits: pd.DataFrame) -> None:
    axes.grid()
    widths = sorted(fits.width.unique())
    truth = fits[fits.width == widths[0]]
    axes.plot(truth.x, truth.truth, color="black", linewidth=0.8, label="target")
    for colour, width in zip(PALETTE, sorted({widths[0], widths[-1]}), strict=False):
        one = fits[fits.width == width]
        axes.plot(one.x, one.prediction, color=colour, linewidth=1.0, label=f"width {width}")
