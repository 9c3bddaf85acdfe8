"""The learning-rate range test: the loss while the rate grows, and the rates that it suggests."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from phase2.card import FigureCard
from phase2.figures.marks import band, is_left, panels, ranges
from phase2.figures.style import PALETTE, blank, nothing_without, styled
from phase2.words.levels import label

CARD = FigureCard(
    ("losses", "suggestions"),
    "Learning-rate range test: smoothed minibatch loss while the rate grows, mean over seeds with their range. "
    "Upright lines, where there are any: geometric means over seeds of the rates at which each seed's own loss falls "
    "most steeply, and at which, past its least, it has clearly risen again (breakout).",
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
    grid = panels(figure, [label(optimizer) for optimizer in optimizers], columns)
    for place, (axes, optimizer) in enumerate(zip(grid.values(), optimizers, strict=True)):
        axes.grid()
        by_rate = losses[losses.optimizer == optimizer].groupby("lr").smoothed
        band(axes, ranges(by_rate)[by_rate.count() == losses.seed.nunique()], 0, marker="")
        _rules(axes, suggestions[suggestions.optimizer == optimizer])
        lowest = place + columns >= len(optimizers)
        axes.tick_params(labelbottom=lowest)
        axes.set_xlabel("learning rate" if lowest else "")
        axes.set_ylabel("smoothed loss (nats)" if is_left(axes) else "")
    top = losses.groupby("optimizer").smoothed.first().max()
    axes.set(xscale="log", ylim=(0, 1.25 * top))
    handles = [Line2D([], [], color=PALETTE[0], label="loss, mean and range of the seeds")]
    handles += [Line2D([], [], color=PALETTE[1], linestyle=line, label=text) for line, text in RULES.values()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _rules(axes: Axes, suggestions: pd.DataFrame) -> None:
    for name, (line, _) in RULES.items():
        rates = suggestions[name].dropna()
        if len(rates):
            axes.axvline(np.exp(np.log(rates).mean()), color=PALETTE[1], linestyle=line, linewidth=1.0)
