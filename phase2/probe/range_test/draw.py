"""The learning-rate range test: the loss while the rate grows, and the rates that it suggests."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from phase2.card import FigureCard
from phase2.figures.style import PALETTE, blank, nothing_without, styled
from phase2.words.levels import label

CARD = FigureCard(
    ("losses", "suggestions"),
    "Learning-rate range test: smoothed minibatch loss while the rate grows, mean over seeds with their range. "
    "Lines mark the rate of the steepest fall and that at which the loss breaks out.",
)

ROW = 1.45  # inches: a row of panels
PER_ROW = 4
RULES: dict[str, tuple[Any, str]] = {"steepest": ("--", "steepest fall"), "breakout": (":", "breakout")}


@styled
@nothing_without("losses", "smoothed")
def range_test(*, losses: pd.DataFrame, suggestions: pd.DataFrame) -> Figure:
    """A panel an optimizer: the smoothed loss by rate, mean over seeds with their range while all are in the test;
    upright lines at the geometric means over seeds of the suggested rates, where there are any.
    """
    optimizers = list(losses.optimizer.unique())
    rows = -(-len(optimizers) // PER_ROW)
    columns = -(-len(optimizers) // rows)
    figure = blank(ROW * rows + 0.4)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes in grid.ravel()[len(optimizers) :]:
        axes.remove()
    for axes, optimizer in zip(grid.ravel(), optimizers, strict=False):
        axes.set_title(label(optimizer))
        axes.grid()
        _curve(axes, losses[losses.optimizer == optimizer])
        _rules(axes, suggestions[suggestions.optimizer == optimizer])
    top = losses.groupby("optimizer").smoothed.first().max()
    grid[0, 0].set(xscale="log", ylim=(0, 1.25 * top))
    for place, axes in enumerate(grid.ravel()[: len(optimizers)]):
        axes.tick_params(labelbottom=place + columns >= len(optimizers))
        if place + columns >= len(optimizers):
            axes.set_xlabel("learning rate")
    for axes in grid[:, 0]:
        axes.set_ylabel("smoothed loss (nats)")
    _legend(figure)
    return figure


def _curve(axes: Axes, losses: pd.DataFrame) -> None:
    by_rate = losses.groupby("lr").smoothed
    together = by_rate.agg(["mean", "min", "max", "count"])
    together = together[together["count"] == losses.seed.nunique()]
    axes.fill_between(together.index, together["min"], together["max"], color=PALETTE[0], alpha=0.3, linewidth=0)
    axes.plot(together.index, together["mean"], color=PALETTE[0])


def _rules(axes: Axes, suggestions: pd.DataFrame) -> None:
    for name, (line, _) in RULES.items():
        rates = suggestions[name].dropna()
        if len(rates):
            axes.axvline(np.exp(np.log(rates).mean()), color=PALETTE[1], linestyle=line, linewidth=1.0)


def _legend(figure: Figure) -> None:
    handles = [Line2D([], [], color=PALETTE[0], label="loss, mean and range of the seeds")]
    handles += [Line2D([], [], color=PALETTE[1], linestyle=line, label=text) for line, text in RULES.values()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
