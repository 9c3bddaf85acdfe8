"""Mean test accuracy of every combination, as one map a schedule."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from phase2.figures.labels import columns_between, faceted, label
from phase2.figures.marks import cell_map, panels
from phase2.figures.style import FULL_WIDTH, SEQUENTIAL, SINGLE_WIDTH, blank, styled

CELL = (0.36, 0.29)  # inches: room for two lines of 7 pt
MARGIN = 1.3  # inches: row labels and colour bar
DEAD = "#D0D0D0"
HATCH = {"hatch": "/////", "edgecolor": "#666666"}


@styled
def accuracy_heatmap(*, cells: pd.DataFrame) -> Figure:
    """Maps of the first factor by the second, one panel for each combination of the others, on one colour scale.

    A cell shows the mean test accuracy in percent over the seeds that finished. It is hatched, and their number n
    is written below, if some diverged; grey with a cross if all did; blank if it was never run.
    """
    factors = [name for name in columns_between(cells, "study", "status") if name != "seed"]
    grouped = faceted(cells, factors).groupby(["panel", "row", "column"], observed=False)
    summary = grouped.test_accuracy.agg(["mean", "count", "size"])
    summary["mean"] *= 100
    names, rows, columns = (list(level) for level in summary.index.levels)
    width = len(columns) * CELL[0]
    per_row = max(1, min(len(names), int((FULL_WIDTH - MARGIN) / width)))
    height = -(-len(names) // per_row) * (len(rows) * CELL[1] + 0.2) + 1.1
    figure = blank(height, min(FULL_WIDTH, max(SINGLE_WIDTH, MARGIN + per_row * width)))
    grid = panels(figure, names, per_row)
    norm = _stretched(summary["mean"])
    for name, axes in grid.items():
        panel = summary.loc[name]
        image = cell_map(axes, panel["mean"].unstack(), _text(panel).unstack(), norm, SEQUENTIAL)
        _mark_divergence(axes, panel)
    _name_axes(grid, factors)
    ticks = norm.inverse(np.linspace(0, 1, 5))
    bar = figure.colorbar(image, ax=list(grid.values()), label="test accuracy (%)", aspect=35, pad=0.015)
    bar.set_ticks(ticks, labels=[f"{tick:.1f}" for tick in ticks])
    _legend(figure, summary)
    return figure


def _name_axes(grid: dict[str, Axes], factors: list[str]) -> None:
    for axes in grid.values():
        axes.xaxis.set_label_position("top")
        if axes.get_subplotspec().is_first_col():
            axes.set_ylabel(label(factors[0]))
        if axes.get_subplotspec().is_first_row() and factors[1:]:
            axes.set_xlabel(label(factors[1]))


def _stretched(percent: pd.Series) -> PowerNorm:
    """Most of the colours for the upper accuracies, where most of the cells are."""
    low, high = (percent.min(), percent.max()) if percent.notna().any() else (0, 100)
    return PowerNorm(3, low if low < high else high - 1, high)


def _text(panel: pd.DataFrame) -> pd.Series:
    some_diverged = panel["count"] < panel["size"]
    return panel["mean"].map("{:.1f}".format) + panel["count"].map("\nn={}".format).where(some_diverged, "")


def _mark_divergence(axes: Axes, panel: pd.DataFrame) -> None:
    rows, columns = (list(level) for level in panel.index.levels)
    for (row, column), cell in panel[panel["count"] < panel["size"]].iterrows():
        x, y = columns.index(column), rows.index(row)
        if cell["count"] == 0:
            axes.add_patch(
                Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=DEAD, edgecolor="white", linewidth=0.8)
            )
            axes.scatter(x, y, marker="x", s=22, color="black", linewidths=1)
        else:
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, linewidth=0, **HATCH))


def _legend(figure: Figure, summary: pd.DataFrame) -> None:
    finished, run = summary["count"], summary["size"]
    handles = []
    if ((finished < run) & (finished > 0)).any():
        handles.append(Patch(facecolor="white", label="some seeds diverged (mean of n)", **HATCH))
    if ((finished == 0) & (run > 0)).any():
        handles.append(Patch(facecolor=DEAD, label="× all seeds diverged"))
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
