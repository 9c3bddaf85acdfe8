"""How much gradient reaches each layer of shallow and deep networks, before, during and after training."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from phase2.card import FigureCard
from phase2.figures.marks import band, ranges, stacked
from phase2.figures.style import blank, nothing_without, styled
from phase2.study.factors import factors_of
from phase2.words.levels import crossed

CARD = FigureCard(
    ("responses",),
    "Norm of the loss's gradient by each layer's weights at initialization, in mid-training and after training, "
    "a line a depth, a row an architecture: geometric mean over seeds with their range; a gap where a seed's "
    "gradient is zero.",
)

PANEL = 1.25  # inches: the height of a row of panels
MARKS = 6  # a line, about
TITLES = {"start": "at initialization", "middle": "in mid-training", "end": "after training"}


@styled
@nothing_without("responses", "gradient_norm")
def gradient_by_depth(*, responses: pd.DataFrame) -> Figure:
    """Norm of the gradient by each layer's weights: a row an architecture (and a combination of the axes that are
    neither depth nor seed), a column a moment, a line a depth. Geometric mean over seeds, with their range shaded; a
    layer that a seed's gradient does not reach is a gap.
    """
    others = factors_of(responses, before="when", without=["depth"])
    table = responses.assign(panel=crossed(responses, others), line=crossed(responses, ["depth"]))
    rows = list(table.panel.cat.categories)
    figure = blank(len(rows) * PANEL + 0.75)
    grid = figure.subplots(len(rows), len(TITLES), sharex=True, sharey=True, squeeze=False)
    for row, name in zip(grid, rows, strict=True):
        for axes, when in zip(row, TITLES, strict=True):
            _panel(axes, table[(table.panel == name) & (table.when == when)])
        row[0].set_ylabel(stacked(name))
    for axes, title in zip(grid[0], TITLES.values(), strict=True):
        axes.set_title(title)
    for axes in grid[-1]:
        axes.set_xlabel("layer")
    grid[0, 0].set_yscale("log")
    grid[0, 0].yaxis.set_major_locator(LogLocator(numticks=6))
    grid[0, 0].yaxis.set_minor_locator(NullLocator())
    grid[0, 0].xaxis.get_major_locator().set_params(integer=True)
    figure.supylabel("norm of the gradient", fontsize=7.5)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=6, handlelength=3.2)
    return figure


def _panel(axes: Axes, table: pd.DataFrame) -> None:
    norms = table.gradient_norm.where(table.gradient_norm > 0)
    for index, depth in enumerate(table.line.cat.categories):
        by_layer = norms[table.line == depth].groupby(table.layer)
        band(axes, ranges(by_layer, geometric=True), index, MARKS, label=depth)
    axes.grid()
