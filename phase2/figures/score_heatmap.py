"""Mean validation score of every combination, as one map a schedule."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import (
    brighter,
    cell_map,
    colour_bar,
    is_left,
    is_top,
    keys_of_failures,
    linear,
    mark_failures,
    panels,
    title_width,
)
from phase2.figures.style import FULL_WIDTH, blank, styled
from phase2.stats.design import finished
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.words.levels import faceted, facets, label

CARD = FigureCard(
    ("cells", "score"),
    "Validation {score}, mean over the seeds that finished. Where seeds failed, a cell is hatched (n: how many "
    "finished), and grey with a cross if all did. One linear scale of colours; values beyond it, where its bar is "
    "pointed, have its last colour.",
)

CELL = (0.36, 0.29)  # inches: room for two lines of 7 pt
MARGIN = 1.3  # inches: row labels and colour bar


@styled
def score_heatmap(*, cells: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """Maps of the first factor by the second, a panel for each combination of the others, one colour scale.

    A cell shows the mean validation score in its unit over the seeds that finished. It is hatched, with their
    number n below, if some failed; grey with a cross if all did; blank if it was never run.
    """
    told, factors = Score.read(score), factors_of(cells, before="status")
    shown = told.scale * finished(cells, told.column)
    cells = faceted(cells, factors).assign(shown=shown, finished=shown.notna())
    groups = cells.groupby(["panel", "row", "column"], observed=False)
    summary = groups.agg(shown=("shown", "mean"), finished=("finished", "sum"), run=("id", "count"))
    rows, columns, names = facets(cells)
    per_row = int((FULL_WIDTH - MARGIN) / max(len(columns) * CELL[0], title_width(names)))
    per_row = max(1, min(len(names), per_row))
    figure = blank(-(-len(names) // per_row) * (max(0.9, len(rows) * CELL[1]) + 0.2) + 1.1)
    grid = panels(figure, names, per_row)
    norm = linear(summary.shown, told)
    for name, axes in grid.items():
        panel = summary.loc[[name]].droplevel("panel")
        values = _named(panel.shown.unstack(), factors)
        image = cell_map(axes, values, _text(panel, told).unstack(), norm, brighter(told))
        mark_failures(axes, panel.finished.unstack().to_numpy(), panel.run.unstack().to_numpy())
        _name_axes(axes, factors)
    colour_bar(figure, image, summary.shown, told, list(grid.values()))
    if handles := keys_of_failures(summary.finished, summary.run):
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _named(values: pd.DataFrame, factors: list[str]) -> pd.DataFrame:
    """`values` with rows and columns named by the levels alone: the axes say whose they are."""
    prefixes = [f"{label(factor)} " for factor in factors] + ["", ""]  # with fewer factors there is nothing to remove
    rows, columns = (
        [str(name).removeprefix(p) for name in side] for side, p in zip(values.axes, prefixes, strict=False)
    )
    return values.set_axis(rows, axis="index").set_axis(columns, axis="columns")


def _text(panel: pd.DataFrame, score: Score) -> pd.Series:
    some_failed = panel.finished < panel.run
    return panel.shown.map(score.number) + panel.finished.map("\nn={}".format).where(some_failed, "")


def _name_axes(axes: Axes, factors: list[str]) -> None:
    axes.xaxis.set_label_position("top")
    if is_left(axes):
        axes.set_ylabel(label(factors[0]))
    if is_top(axes) and factors[1:]:
        axes.set_xlabel(label(factors[1]))
