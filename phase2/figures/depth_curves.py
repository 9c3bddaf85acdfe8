"""Training and validation errors of shallow and deep networks, by architecture. He et al. 2016a, figure 6."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from phase2.card import FigureCard
from phase2.figures.marks import band, bars, keys, ranges, settled, stacked
from phase2.figures.style import blank, nothing_without, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.words.levels import crossed

CARD = FigureCard(
    ("cells", "curves", "score"),
    "Training (dashed, of the batches as they were trained on) and validation (solid) {error} by step, a line a depth, "
    "a panel an architecture: mean over seeds with the range on validation. Stars, beside the last step: all training "
    "images afterwards, in evaluation mode, with the range.",
    needs=("depth", "model"),
)

HEIGHT = 2.4  # inches
MARKS = 6  # a line, about
STAR = 5  # points: small, so that short ranges are seen
ASIDE = 0.03  # of the last step: stars stand side by side, beyond it
SPLITS: dict[str, Any] = {"train": "--", "val": "-"}


@styled
@nothing_without("curves", "loss")
def depth_curves(*, cells: pd.DataFrame, curves: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """A panel an architecture (and a combination of all other axes but depth), a line a depth: mean error by
    step over the seeds still running, in training dashed and on validation solid with the range over seeds shaded. A
    star is the error on the training images after training, beside the last step.
    """
    told = Score.read(score)
    others = factors_of(cells, before="status", without=["depth"])
    cells = cells.assign(after=told.errors(cells[f"train_{told.metric}"]))
    named = cells.assign(panel=crossed(cells, others), line=crossed(cells, ["depth"]))
    named = named[["id", "panel", "line", "seed", "steps", "after"]]
    known = curves[["id", "step", "split", told.metric]].merge(named, on="id")
    known["error"] = told.errors(known[told.metric])
    panels, lines = (list(named[name].cat.categories) for name in ("panel", "line"))
    figure = blank(HEIGHT)
    row = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for axes, panel in zip(row, panels, strict=True):
        _panel(axes, known[known.panel == panel], lines)
        _after(axes, named[named.panel == panel].dropna(), lines)
        axes.set(title=stacked(panel), xlabel="step")
    row[0].set_ylabel(told.in_unit(told.error_name))
    settled(row[0], known, "step", "error", sign=-1 if told.has_errors else told.sign)
    _show_stars(row[0], named.after)
    handles = keys(lines, linestyle="-")
    handles += [Line2D([], [], color="black", linestyle=SPLITS["train"], label="training")]
    handles += [Line2D([], [], color="black", linestyle=SPLITS["val"], label="validation")]
    handles += [Line2D([], [], color="black", linestyle="", marker="*", markersize=STAR, label="after training")]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6), handlelength=2.8)
    return figure


def _panel(axes: Axes, curves: pd.DataFrame, lines: list[str]) -> None:
    for index, line in enumerate(lines):
        for split, dashes in SPLITS.items():
            by_step = ranges(curves[(curves.line == line) & (curves.split == split)].groupby("step").error)
            band(axes, by_step if split == "val" else by_step[["mean"]], index, MARKS, linestyle=dashes)
    axes.grid()
    axes.locator_params(axis="x", nbins=5)


def _after(axes: Axes, cells: pd.DataFrame, lines: list[str]) -> None:
    """The error on all training images after training, of each line that finished, beside its last step."""
    for index, line in enumerate(lines):
        of_line = cells[cells.line == line]
        stars = ranges(of_line.groupby("steps").after)
        stars.index = stars.index * (1 + ASIDE * (index + 1))
        bars(axes, stars, index, linestyle="", marker="*", markersize=STAR, capsize=3)


def _show_stars(axes: Axes, after: pd.Series) -> None:
    """Widens the limits of the y axis, if they are narrower, to those that show the ranges of all stars."""
    low, high = axes.get_ylim()
    known = after[np.isfinite(after)]
    if len(known):
        room = 0.05 * (max(high, known.max()) - min(low, known.min()))
        axes.set_ylim(min(low, known.min() - room), max(high, known.max() + room))
