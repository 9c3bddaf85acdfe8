"""The validation score against epoch for every combination, with what became of its seeds."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from phase2.card import FigureCard
from phase2.figures.marks import band, baseline_line, keys, keys_of_baseline, over_seeds, settled, stacked
from phase2.figures.style import blank, series, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.words.levels import faceted, facets, label

CARD = FigureCard(
    ("cells", "curves", "baseline", "score"),
    "Validation {score} by epoch, mean over the seeds still running with its 95% t interval (their range where they "
    "are fewer than five). The axis shows the last two thirds of all trainings whole. A cross, where there is one, "
    "marks the last finite epoch of a run that diverged, at the edge if its score is beyond it or if it had none. "
    "Dashed grey: logistic regression on raw pixels, with an arrow in the legend where it is off the axis.",
)

PANEL, PAGE = 1.0, 8.0  # inches: the height of a row of panels, and of all of them at most
DIVERGED: dict[str, Any] = {"marker": "X", "s": 26, "edgecolors": "white", "linewidths": 0.5}


@styled
def learning_curves(
    *, cells: pd.DataFrame, curves: pd.DataFrame, baseline: pd.DataFrame, score: pd.DataFrame
) -> Figure:
    """Panels with the first factor down and the third across, and a line for each level of the second.

    A line is the mean validation score over the seeds still running at that epoch, its band the 95% t interval
    of that mean. A cross marks the last finite epoch of a diverged cell, at 0 and at the worse end if none was.
    """
    told, factors = Score.read(score), factors_of(cells, before="status")
    cells = faceted(cells, factors)
    validation = curves[curves.split == "val"].merge(cells[["id", "row", "column", "panel"]], on="id")
    validation["shown"] = told.scale * validation[told.metric]
    rows, lines, across = facets(cells)
    figure = blank(min(PAGE, len(rows) * PANEL) + 0.75)
    grid = figure.subplots(len(rows), len(across), sharex=True, sharey=True, squeeze=False)
    settled(grid[0, 0], validation, "epoch", "shown", told.sign)
    ends = _ends(cells, validation)
    for row, name in enumerate(rows):
        for column, panel in enumerate(across):
            here = validation[(validation.row == name) & (validation.panel == panel)]
            stopped = ends[(ends.row == name) & (ends.panel == panel)]
            _panel(grid[row, column], here, stopped, lines, worse=int(told.sign < 0))
            baseline_line(grid[row, column], baseline, told)
        grid[row, 0].set_ylabel(name)
    for column, panel in enumerate(across):
        grid[0, column].set_title(stacked(panel))
        grid[-1, column].set_xlabel("epoch")
    grid[0, 0].set(xlim=(0, 1.03 * curves.epoch.max() if len(curves) else 1))
    grid[0, 0].xaxis.get_major_locator().set_params(integer=True, nbins=4)
    figure.supylabel(told.on("validation"))
    beside = keys_of_baseline(grid[0, 0], baseline, told)
    _legend(figure, label(factors[1]) if factors[1:] else "", lines, diverged=len(ends) > 0, beside=beside)
    return figure


def _ends(cells: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Where each diverged cell's curve stops: at epoch 0, without a score, if it has none."""
    last = curves.sort_values("epoch").groupby("id")[["epoch", "shown"]].last()
    diverged = cells[cells.status == "diverged"][["id", "row", "column", "panel"]]
    return diverged.join(last, on="id").fillna({"epoch": 0})


def _panel(axes: Axes, curves: pd.DataFrame, stopped: pd.DataFrame, lines: list[str], worse: int) -> None:
    """One panel; `worse` is the end of the axis, 0 or 1, at which scores are worse."""
    axes.grid()
    for index, name in enumerate(lines):
        band(axes, over_seeds(curves[curves.column == name], ["epoch"], "shown"), index, marks=4)
        ends = stopped[stopped.column == name]
        look = DIVERGED | {"color": series(index)["color"], "zorder": 4, "clip_on": False}
        seen, lost = ends[ends.shown.notna()], ends[ends.shown.isna()]
        axes.scatter(seen.epoch, seen.shown.clip(*sorted(axes.get_ylim())), **look)
        axes.scatter(lost.epoch, [worse] * len(lost), transform=axes.get_xaxis_transform(), **look)


def _legend(figure: Figure, title: str, lines: list[str], diverged: bool, beside: list[Line2D]) -> None:
    handles = keys(lines) if title else []
    if diverged:
        handles.append(Line2D([], [], color="black", marker="X", linestyle="", label="a seed diverged"))
    handles += beside
    look: dict[str, Any] = {"loc": "outside lower center", "ncols": min(len(handles), 6), "handlelength": 2.8}
    if handles:
        figure.legend(handles=handles, title=title, **look)
