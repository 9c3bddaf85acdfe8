"""Small multiples of the activations: each function with its first and second derivative."""

import pandas as pd
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import panels
from phase2.figures.style import LINES, PALETTE, blank, nothing_without, styled
from phase2.words.levels import label, printed

CARD = FigureCard(
    ("shapes",),
    "Every activation with its first and second derivative, computed by the layers themselves. The table has "
    "their extremes on this range.",
)

PANEL = 1.4  # inches: height
PER_ROW = 5
LEGEND = 0.5  # inches: legend and axis label
COLUMNS = {"value": "$f(x)$", "first": "$f'(x)$", "second": "$f''(x)$"}
HEIGHT = (-2, 2.5)  # of the scale that all panels share: it leaves the far ends of f out


@styled
@nothing_without("shapes", "value")
def activation_shapes(*, shapes: pd.DataFrame) -> Figure:
    """A panel an activation: f, f' and f'' over x on one scale, a line each."""
    names = list(printed(shapes.activation).cat.categories)
    per_row = min(len(names), PER_ROW)
    figure = blank(-(-len(names) // per_row) * PANEL + LEGEND)
    grid = panels(figure, names, per_row)
    for name, axes in grid.items():
        shape = shapes[shapes.activation.map(label) == name]
        axes.grid()
        for index, (column, text) in enumerate(COLUMNS.items()):
            axes.plot(shape.x, shape[column], color=PALETTE[index], linestyle=LINES[index], label=text)
        axes.set_ylim(HEIGHT)
    for name in names[-per_row:]:  # the lowest of each column: under some the last row has a gap
        grid[name].tick_params(labelbottom=True)
    figure.supxlabel("$x$", fontsize=7.5)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return figure
