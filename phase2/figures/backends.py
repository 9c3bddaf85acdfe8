"""One network trained by two backends of the convolution from the same seeds: the same curve twice."""

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator, SymmetricalLogLocator

from phase2.card import FigureCard
from phase2.figures.marks import stacked
from phase2.figures.style import PALETTE, blank, nothing_without, series, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.words.levels import crossed

CARD = FigureCard(
    ("cells", "curves", "score"),
    "One network trained from the same seeds by the convolution written here and by torch's fused kernel: "
    "validation {score} by epoch, a line a seed and a marker a backend, and the absolute difference of their "
    "training losses, down to 0.",
    needs=("backend",),
)

HEIGHT = 3.0  # inches
EPSILON = 1e-7  # about the rounding of float32 at 1: the scale where no loss differs
# The one lies on the other: a wide pale line with open markers under a thin dotted one with small filled ones.
BELOW: dict[str, Any] = {"linewidth": 3.0, "alpha": 0.45, "linestyle": "-", "marker": "o", "markersize": 8}
ABOVE: dict[str, Any] = {"linewidth": 0.9, "linestyle": ":", "marker": "s", "markersize": 3}


@styled
@nothing_without("curves", "loss")
def backends(*, cells: pd.DataFrame, curves: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """Above, the validation score by epoch, a colour a seed and a look a backend; below, how far the training
    losses of the two backends are apart, on a logarithmic scale that ends in a linear piece with 0 on it.

    A column a combination of all axes but backend and seed.
    """
    told = Score.read(score)
    others = factors_of(cells, before="status", without=["backend"])
    named = cells.assign(column=crossed(cells, others))[["id", "column", "backend", "seed"]]
    known = curves[["id", "epoch", "split", told.metric, "loss"]].merge(named, on="id")
    known = known.assign(shown=told.scale * known[told.metric])
    names, columns = list(dict.fromkeys(cells.backend)), list(named.column.cat.categories)
    colours = {seed: PALETTE[index % len(PALETTE)] for index, seed in enumerate(sorted(cells.seed.unique()))}
    gaps = _gaps(known, names)
    figure = blank(HEIGHT)
    grid = figure.subplots(2, len(columns), sharex=True, sharey="row", squeeze=False, height_ratios=(3, 2))
    for (upper, lower), column in zip(grid.T, columns, strict=True):
        _curves(upper, known[(known.column == column) & (known.split == "val")], names, colours)
        _differences(lower, gaps[gaps.column == column], colours)
        upper.set_title(stacked(column))
        lower.set_xlabel("epoch")
    grid[0, 0].set_ylabel(told.on("validation"))
    grid[1, 0].set_ylabel(f"difference of the\n{told.training_loss}")
    grid[1, 0].xaxis.get_major_locator().set_params(integer=True)
    _scale(grid[1, 0], gaps.gap)
    handles = [Line2D([], [], color=colour, label=f"seed {seed}") for seed, colour in colours.items()]
    handles += [Line2D([], [], label=name, **_look(place, "black")) for place, name in enumerate(names)]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 7), handlelength=3.2)
    return figure


def _look(place: int, colour: str) -> dict[str, Any]:
    """How a backend is drawn: the first below, any other above it."""
    return {"color": colour, "markerfacecolor": "none" if place == 0 else colour} | (ABOVE if place else BELOW)


def _curves(axes: Axes, curves: pd.DataFrame, names: list[str], colours: dict[int, str]) -> None:
    for place, name in enumerate(names):
        for seed, colour in colours.items():
            one = curves[(curves.backend == name) & (curves.seed == seed)]
            axes.plot(one.epoch, one.shown, zorder=2 + place, **_look(place, colour))
    axes.grid()


def _gaps(curves: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The absolute difference `gap` of the training losses of the first two backends, by column, seed and epoch; empty
    if there is one.
    """
    wide = curves[curves.split == "train"].pivot(index=["column", "seed", "epoch"], columns="backend", values="loss")
    wide = wide.reindex(columns=names)
    gap = (wide[names[0]] - wide[names[1]]).abs() if len(names) > 1 else wide[names[0]].iloc[:0]
    return gap.rename("gap").dropna().reset_index()


def _differences(axes: Axes, gaps: pd.DataFrame, colours: dict[int, str]) -> None:
    for index, (seed, colour) in enumerate(colours.items()):
        one = gaps[gaps.seed == seed]
        axes.plot(one.epoch, one.gap, **series(index) | {"color": colour})
    if gaps.empty:
        axes.text(0.5, 0.5, "one backend: nothing to compare", ha="center", va="center", transform=axes.transAxes)
    axes.grid()


def _scale(axes: Axes, gaps: pd.Series) -> None:
    """Logarithmic from the decade of the least difference that is not 0; below it linear, down to 0."""
    positive = gaps[gaps > 0]
    low, high = (positive.min(), positive.max()) if len(positive) else (EPSILON, EPSILON)
    linear = 10.0 ** math.floor(math.log10(low))
    axes.set_yscale("symlog", linthresh=linear, linscale=0.5)
    ticks = SymmetricalLogLocator(base=10, linthresh=linear)
    ticks.set_params(numticks=6)
    axes.yaxis.set_major_locator(ticks)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(-linear / 4, 2 * high)
