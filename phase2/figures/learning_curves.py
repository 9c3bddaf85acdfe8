"""Validation accuracy against epoch for every combination, with what became of its seeds."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.stats import t as student

from phase2.figures.labels import columns_between, faceted, label
from phase2.figures.style import FULL_WIDTH, SINGLE_WIDTH, blank, series, styled

PANEL = (1.2, 1.0)  # inches
DIVERGED = {"marker": "X", "s": 26, "edgecolors": "white", "linewidths": 0.5, "zorder": 4, "clip_on": False}


@styled
def learning_curves(*, cells: pd.DataFrame, curves: pd.DataFrame) -> Figure:
    """A grid of panels, first factor down and the third across, with a line for each level of the second.

    A line is the mean validation accuracy in percent over the seeds still running at that epoch, its band the 95% t
    interval of that mean. A cross marks the last finite epoch of each diverged cell, at 0 if it had none.
    """
    factors = [name for name in columns_between(cells, "study", "status") if name != "seed"]
    cells = faceted(cells, factors)
    validation = curves[curves.split == "val"].merge(cells[["id", "row", "column", "panel"]], on="id")
    validation["accuracy"] *= 100
    rows, lines, across = (list(cells[name].cat.categories) for name in ("row", "column", "panel"))
    width = min(FULL_WIDTH, max(SINGLE_WIDTH, 0.6 + len(across) * PANEL[0]))
    figure = blank(len(rows) * PANEL[1] + 0.75, width)
    grid = figure.subplots(len(rows), len(across), sharex=True, sharey=True, squeeze=False)
    last = (
        cells[cells.status == "diverged"]
        .merge(
            validation.sort_values("epoch").groupby("id")[["epoch", "accuracy"]].last(), on="id", how="left"
        )
        .fillna({"epoch": 0, "accuracy": 0})
    )
    for row, name in enumerate(rows):
        for column, panel in enumerate(across):
            here = validation[(validation.row == name) & (validation.panel == panel)]
            ends = last[(last.row == name) & (last.panel == panel)]
            _panel(grid[row, column], here, ends, lines)
        grid[row, 0].set_ylabel(name)
    for column, panel in enumerate(across):
        grid[0, column].set_title(panel)
        grid[-1, column].set_xlabel("epoch")
    grid[0, 0].set(xlim=(0, 1.03 * max(1, curves.epoch.max())) if len(curves) else (0, 1), ylim=(0, 100))
    grid[0, 0].xaxis.get_major_locator().set_params(integer=True, nbins=4)
    figure.supylabel("validation accuracy (%)", fontsize=7.5)
    _legend(figure, label(factors[1]) if factors[1:] else "", lines, diverged=len(last) > 0)
    return figure


def _panel(axes: Axes, curves: pd.DataFrame, ends: pd.DataFrame, lines: list[str]) -> None:
    axes.grid()
    for index, name in enumerate(lines):
        look = series(index)
        epochs = curves[curves.column == name].groupby("epoch").accuracy.agg(["mean", "std", "count"])
        # A band needs two seeds; with one, the degrees of freedom and so the band are NaN, and nothing is drawn.
        freedom = (epochs["count"] - 1).where(epochs["count"] > 1)
        half = student.ppf(0.975, freedom) * epochs["std"] / np.sqrt(epochs["count"])
        axes.fill_between(
            epochs.index,
            epochs["mean"] - half,
            epochs["mean"] + half,
            color=look["color"],
            alpha=0.15,
            linewidth=0,
        )
        axes.plot(epochs.index, epochs["mean"], **look, markevery=_spread(index, len(epochs)))
        stopped = ends[ends.column == name]
        axes.scatter(stopped.epoch, stopped.accuracy, color=look["color"], **DIVERGED)


def _spread(index: int, epochs: int) -> tuple[int, int]:
    """Few markers a line, and not at the same epochs as its neighbours'."""
    gap = max(1, epochs // 4)
    return index % gap, gap


def _legend(figure: Figure, title: str, lines: list[str], diverged: bool) -> None:
    handles = [Line2D([], [], label=name, **series(index)) for index, name in enumerate(lines)]
    if diverged:
        handles.append(Line2D([], [], color="black", marker="X", linestyle="", label="a seed diverged"))
    figure.legend(
        handles=handles, title=title, loc="outside lower center", ncols=min(len(handles), 6), handlelength=2.8
    )
