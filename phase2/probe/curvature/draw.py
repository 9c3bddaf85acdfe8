"""Curvature and gradient noise of trained networks against the size of the batch."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.errors import UserError
from phase2.figures.marks import ROOM, bars, plain_log, ranges, sizes_across
from phase2.figures.style import blank, nothing_without, styled
from phase2.study.factors import factors_of
from phase2.words.levels import crossed

CARD = FigureCard(
    ("curvature",),
    "Sharpness, trace of the Hessian and gradient noise scale of the trained networks, at their best epoch on "
    "validation, against the batch size: geometric mean over seeds with their range, a line a combination of the other "
    "axes.",
)

HEIGHT = 2.0  # inches
APART = 1.05  # ratio of neighbouring lines' places, so that no bar hides another
MEASURES = {"sharpness": "sharpness", "trace": "trace of the Hessian", "noise_scale": "noise scale (images)"}


@styled
@nothing_without("curvature", "sharpness", "trace", "noise_scale")
def curvature(*, curvature: pd.DataFrame) -> Figure:
    """A panel a measure, by batch size, on logarithmic scales; a line a combination of the other axes, say a rate.

    Dots are geometric means over the seeds, bars their range. Raises `UserError` for a study whose axes are without
    `batch_size`.
    """
    factors = factors_of(curvature, before="sharpness")
    if "batch_size" not in factors:
        raise UserError(
            f"curvature: the study's factors are {', '.join(factors)}, expected batch_size among them: draw the figure "
            "of a probe on a study that has it"
        )
    factors.remove("batch_size")
    table = curvature.assign(line=crossed(curvature, factors))
    figure = blank(HEIGHT)
    row = figure.subplots(1, len(MEASURES))
    for axes, (measure, title) in zip(row, MEASURES.items(), strict=True):
        _panel(axes, table, measure)
        axes.set(title=title, xlabel="batch size")
    if factors:
        figure.legend(*row[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, measure: str) -> None:
    plain_log(axes)
    axes.grid()
    known = table[table[measure] > 0]
    lines = table.line.cat.categories
    for index, name in enumerate(lines):
        rows = ranges(known[known.line == name].groupby("batch_size")[measure], geometric=True)
        bars(axes, rows.set_axis(rows.index * APART ** (index - (len(lines) - 1) / 2)), index, label=name)
    if len(known):
        axes.set_ylim(known[measure].min() / ROOM, known[measure].max() * ROOM)
    sizes_across(axes, sorted(table.batch_size.unique()))
