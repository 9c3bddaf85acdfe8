"""Loss and sharpness on the way of full-batch gradient descent, and the curvature that its rate can bear."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from phase2.card import FigureCard
from phase2.figures.style import PALETTE, blank, nothing_without, styled

CARD = FigureCard(
    ("path",),
    "Full-batch gradient descent: training loss and sharpness (the largest eigenvalue of the Hessian) by step; "
    "dashed, 2 / rate, above which a quadratic's minimum would be unstable. A line a seed; a cross, where there is "
    "one: the last finite loss of a descent that diverged.",
)

HEIGHT = 2.8  # inches
ABOVE, BELOW = 2, 0.6  # room on the scale of losses
ROOM = 1.3  # and above the sharpness
FEW = 100  # a scale from one to this has room for ticks between the powers of ten


@styled
@nothing_without("path", "loss")
def edge_of_stability(*, path: pd.DataFrame) -> Figure:
    """A column a rate: above the training loss, below the sharpness with 2 / rate dashed; a thin line a seed.

    A cross marks the last finite loss of a descent that diverged. What explodes leaves the picture: its upper end is
    set by the values at the start and by 2 / rate.
    """
    rates, start = sorted(path.lr.unique()), path[path.step == 0]
    tops = {"loss": ABOVE * start.loss.max(), "sharpness": ROOM * max(start.sharpness.max(), 2 / rates[0])}
    figure = blank(HEIGHT)
    grid = figure.subplots(2, len(rates), sharex=True, sharey="row", squeeze=False)
    for row, (measure, top), colour in zip(grid, tops.items(), PALETTE, strict=False):
        for axes, lr in zip(row, rates, strict=True):
            _lines(axes, path[path.lr == lr], measure, colour, path.step.max(), top)
        row[0].set_ylabel(measure)
    _scale(grid[0, 0], BELOW * path.loss[path.loss > 0].min(), tops["loss"])
    grid[1, 0].set_ylim(0, tops["sharpness"])
    for (upper, lower), lr in zip(grid.T, rates, strict=True):
        upper.set_title(f"rate {lr:g}")
        lower.axhline(2 / lr, color="black", linestyle="--", linewidth=0.9)
        lower.set_xlabel("step")
    handles = [grid[0, 0].lines[0], grid[1, 0].lines[0], grid[1, 0].lines[-1]]
    figure.legend(handles, ["loss", "sharpness", "2 / rate"], loc="outside lower center", ncols=3)
    return figure


def _lines(axes: Axes, path: pd.DataFrame, measure: str, colour: str, last: int, top: float) -> None:
    axes.grid()
    for _, one in path.groupby("seed"):
        shown = one.dropna(subset=measure)
        axes.plot(shown.step, shown[measure], color=colour, linewidth=0.7)
        if one.step.max() < last:
            end = shown[measure].iloc[-1:].clip(upper=top)
            axes.plot(shown.step.iloc[-1:], end, color=colour, linestyle="", marker="x", clip_on=False)
    axes.locator_params(axis="x", nbins=4, integer=True)


def _scale(axes: Axes, bottom: float, top: float) -> None:
    axes.set_yscale("log")
    axes.set_ylim(bottom, top)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if top / bottom < FEW else (1,)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
