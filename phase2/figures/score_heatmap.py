"""Mean test score of every combination, as one map a schedule."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from phase2.card import FigureCard
from phase2.figures.marks import brighter, cell_map, is_left, is_top, panels, stretched, stretched_bar, title_width
from phase2.figures.style import FULL_WIDTH, blank, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.words.levels import faceted, facets, label

CARD = FigureCard(
    ("cells", "score"),
    "Test {score}, mean over the seeds that finished. Hatched: some diverged, n finished. "
    "Grey with a cross: all diverged. The colour scale is stretched at its better end.",
)

CELL = (0.36, 0.29)  # inches: room for two lines of 7 pt
MARGIN = 1.3  # inches: row labels and colour bar
SOME_DIVERGED: dict[str, Any] = {"facecolor": "none", "edgecolor": "#666666", "hatch": "/////"}
ALL_DIVERGED: dict[str, Any] = {"facecolor": "#D0D0D0", "edgecolor": "white"}


@styled
def score_heatmap(*, cells: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """Maps of the first factor by the second, a panel for each combination of the others, one colour scale.

    A cell shows the mean test score in its unit over the seeds that finished. It is hatched, with their
    number n below, if some diverged; grey with a cross if all did; blank if it was never run.
    """
    told, factors = Score.read(score), factors_of(cells, before="status")
    shown = told.scale * cells[told.column]
    cells = faceted(cells, factors).assign(shown=shown, finished=cells.status == "ok")
    groups = cells.groupby(["panel", "row", "column"], observed=False)
    summary = groups.agg(shown=("shown", "mean"), finished=("finished", "sum"), run=("id", "count"))
    rows, columns, names = facets(cells)
    per_row = int((FULL_WIDTH - MARGIN) / max(len(columns) * CELL[0], title_width(names)))
    per_row = max(1, min(len(names), per_row))
    figure = blank(-(-len(names) // per_row) * (max(0.6, len(rows) * CELL[1]) + 0.2) + 1.1)
    grid = panels(figure, names, per_row)
    norm = stretched(summary.shown, told)
    for name, axes in grid.items():
        panel = summary.loc[[name]].droplevel("panel")
        values = _named(panel.shown.unstack(), factors)
        image = cell_map(axes, values, _text(panel, told).unstack(), norm, brighter(told))
        _mark_divergence(axes, panel.finished.unstack().to_numpy(), panel.run.unstack().to_numpy())
        _name_axes(axes, factors)
    stretched_bar(figure, image, norm, told, list(grid.values()), aspect=35)
    _legend(figure, summary)
    return figure


def _named(values: pd.DataFrame, factors: list[str]) -> pd.DataFrame:
    """`values` with rows and columns named by the levels alone: the axes say whose they are."""
    prefixes = [f"{label(factor)} " for factor in factors] + ["", ""]  # with fewer factors there is nothing to remove
    rows, columns = (
        [str(name).removeprefix(p) for name in side] for side, p in zip(values.axes, prefixes, strict=False)
    )
    return values.set_axis(rows, axis="index").set_axis(columns, axis="columns")


def _text(panel: pd.DataFrame, score: Score) -> pd.Series:
    some_diverged = panel.finished < panel.run
    return panel.shown.map(score.number) + panel.finished.map("\nn={}".format).where(some_diverged, "")


def _mark_divergence(axes: Axes, finished: np.ndarray, run: np.ndarray) -> None:
    for y, x in np.argwhere(finished < run):
        corner = (x - 0.5, y - 0.5)
        if finished[y, x]:
            axes.add_patch(Rectangle(corner, 1, 1, linewidth=0, **SOME_DIVERGED))
        else:
            axes.add_patch(Rectangle(corner, 1, 1, linewidth=0.8, **ALL_DIVERGED))
            axes.scatter(x, y, marker="x", s=22, color="black", linewidths=1)


def _name_axes(axes: Axes, factors: list[str]) -> None:
    axes.xaxis.set_label_position("top")
    if is_left(axes):
        axes.set_ylabel(label(factors[0]))
    if is_top(axes) and factors[1:]:
        axes.set_xlabel(label(factors[1]))


def _legend(figure: Figure, summary: pd.DataFrame) -> None:
    diverged = summary[summary.finished < summary.run]
    handles = []
    if diverged.finished.any():
        handles.append(Patch(label="some seeds diverged (mean of n)", **SOME_DIVERGED))
    if (diverged.finished == 0).any():
        handles.append(Patch(label="× all seeds diverged", **ALL_DIVERGED))
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
