"""The loss along random lines through trained networks, and on the straight way between two of them."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import band, plain_log, ranges, stacked
from phase2.figures.style import blank, nothing_without, styled
from phase2.probe.landscape.card import SHOWN
from phase2.study.factors import factors_of
from phase2.words.levels import crossed

CARD = FigureCard(
    ("lines", "interpolation"),
    "Training loss along one filter-normalized random direction, and on the straight way between the solutions of two "
    "seeds: mean with its range over seeds, at the rate at which the networks' loss is least. BatchNorm's statistics "
    "are recomputed at every point. The largest twentieth of the losses may be cut off.",
)

HEIGHT = 3.2  # inches
MARGIN = 1.15  # beyond the ends of the losses
DOTS = 6  # markers a line, about


@styled
@nothing_without("lines", "loss")
def landscape_lines(*, lines: pd.DataFrame, interpolation: pd.DataFrame) -> Figure:
    """A column a combination of all factors but the first, whose levels are lines: mean over seeds, or pairs of seeds,
    with their range shaded. Above, log loss along a random direction; below, from one solution to the next.
    """
    factors = factors_of(lines, before="seed")
    names, columns = (list(crossed(lines, some).cat.categories) for some in (factors[:1], factors[1:]))
    figure = blank(HEIGHT)
    grid = figure.subplots(2, len(columns), sharex="row", sharey="row", squeeze=False)
    shown = [
        (lines, "distance", "distance along the line"),
        (interpolation, "position", "position between solutions"),
    ]
    for row, (table, position, where) in zip(grid, shown, strict=True):
        table = table.astype({position: float, "loss": float}).replace([np.inf, -np.inf], np.nan)
        table = table.assign(line=crossed(table, factors[:1]), column=crossed(table, factors[1:]))
        for axes, column in zip(row, columns, strict=True):
            _curves(axes, table[table.column == column], position, names)
            axes.set_xlabel(where)
        _scale(row[0], table.loss)
        row[0].set_ylabel("loss (nats)")
    for axes, column in zip(grid[0], columns, strict=True):
        axes.set_title(stacked(column))
    if len(names) > 1:
        figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(names))
    return figure


def _curves(axes: Axes, table: pd.DataFrame, position: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        losses = ranges(table[table.line == name].groupby(position).loss)
        band(axes, losses, index, DOTS, label=name, markersize=3)
    axes.grid()
    axes.locator_params(axis="x", nbins=5)


def _scale(axes: Axes, losses: pd.Series) -> None:
    """A logarithmic scale for the whole row, cut where a few losses are far above the others."""
    if losses.empty:
        axes.text(0.5, 0.5, "one seed: no pairs", ha="center", va="center", transform=axes.transAxes)
        axes.set(xticks=[], yticks=[])
        return
    least, largest = losses[losses > 0].min(), losses.quantile(SHOWN)
    plain_log(axes)
    axes.set_ylim(least / MARGIN, max(largest, least) * MARGIN)
