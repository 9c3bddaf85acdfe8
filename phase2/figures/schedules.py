"""Learning-rate schedules: the functions, and what the runs recorded."""

import pandas as pd
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import panels
from phase2.figures.style import PALETTE, blank, styled
from phase2.words.levels import label, printed

CARD = FigureCard(
    ("schedules", "curves"),
    "Learning rate by optimizer step: the schedule's function (line) and what the runs recorded (dots).",
)

PANEL = 1.25  # inches: height
PER_ROW = 5


@styled
def schedules(*, schedules: pd.DataFrame, curves: pd.DataFrame) -> Figure:
    """A panel a schedule: learning rate by optimizer step, its function a line, recorded values dots."""
    names = list(printed(schedules.schedule).cat.categories)
    per_row = min(len(names), PER_ROW)
    figure = blank(-(-len(names) // per_row) * PANEL + 0.6)
    grid = panels(figure, names, per_row)
    recorded = curves[["schedule", "step", "lr"]].drop_duplicates()
    for name, axes in grid.items():
        line = schedules[schedules.schedule.map(label) == name]
        dots = recorded[recorded.schedule.map(label) == name]
        axes.grid()
        axes.plot(line.step, line.lr, color=PALETTE[0], label="schedule function")
        axes.plot(dots.step, dots.lr, "o", color=PALETTE[1], markersize=2.8, label="recorded", zorder=3)
        axes.locator_params(axis="x", nbins=3)
    figure.supxlabel("optimizer step")
    figure.supylabel("learning rate")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure
