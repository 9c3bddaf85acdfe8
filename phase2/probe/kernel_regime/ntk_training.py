"""Networks and their linearizations in training, and what they reach on test images beside kernel regression."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from phase2.card import FigureCard
from phase2.figures.marks import band, intervals, plain_log, ranges
from phase2.figures.style import blank, nothing_without, styled
from phase2.words.levels import printed

CARD = FigureCard(
    ("linearized", "regression"),
    "Training of the narrowest and the widest network and of their linearizations by full-batch gradient descent, "
    "and how far apart their test outputs are; right, the test accuracy of kernel regression against the widest "
    "trained network: mean over seeds with their range.",
)

METHODS = {
    "network": "network",
    "linearized": "linearization",
    "ntk_empirical": "its tangent kernel",
    "ntk_infinite": "NTK, infinite width",
    "nngp_infinite": "NNGP, infinite width",
}  # the first two after the last step, the others solved
LOSSES = {"network_loss": "network", "linearized_loss": "linearization"}
MARKED = 5  # markers on a curve


@styled
@nothing_without("linearized", "network_loss", "linearized_loss")
def ntk_training(*, linearized: pd.DataFrame, regression: pd.DataFrame) -> Figure:
    """A column an activation: by step, above the training loss of the narrowest and the widest network and of their
    linearizations, below how far apart the test outputs of the two are. Right, the test accuracy of five predictors.

    Lines and dots are means over the seeds, bands and bars their range.
    """
    activations = printed(regression.activation).cat.categories
    table = linearized.assign(line=printed(linearized.activation))
    table = table[table.width.isin({table.width.min(), table.width.max()})]
    figure = blank(3.2)
    halves: Any = figure.subfigures(1, 2, width_ratios=(len(activations) * 1.9, 2.6))
    curves, right = halves
    grid = curves.subplots(2, len(activations), sharex=True, sharey="row", squeeze=False)
    for (above, below), name in zip(grid.T, activations, strict=True):
        _curves(above, below, table[table.line == name])
        above.set_title(name)
    grid[0, 0].set_ylabel("training loss")
    grid[1, 0].set_ylabel("distance of outputs")
    curves.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, handlelength=3.2)
    _accuracies(right, regression, list(activations))
    return figure


def _curves(above: Axes, below: Axes, table: pd.DataFrame) -> None:
    for axes in (above, below):
        axes.grid()
        axes.set_yscale("log")
    for turn, (width, rows) in enumerate(table.groupby("width")):
        for kind, (measure, name) in enumerate(LOSSES.items()):
            losses = ranges(rows.groupby("step")[measure])
            band(above, losses, 2 * turn + kind, MARKED, label=f"{name}, width {width:g}")
        band(below, ranges(rows[rows.step > 0].groupby("step").distance), 2 * turn, MARKED)
    plain_log(above)
    below.set_xlabel("step")
    below.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def _accuracies(figure: SubFigure, regression: pd.DataFrame, activations: list[str]) -> None:
    """A panel an activation, below each other on one scale."""
    grid = figure.subplots(len(activations), 1, sharex=True, squeeze=False)[:, 0]
    label_of = dict(zip(regression.activation, printed(regression.activation), strict=True))
    shown = regression.assign(line=regression.activation.map(label_of), percent=100 * regression.test_accuracy)
    for axes, name in zip(grid, activations, strict=True):
        by_method = ranges(shown[shown.line == name].groupby("method").percent)
        rows = by_method.reindex(list(METHODS)).rename(index=METHODS)
        intervals(axes, rows, "black")
        axes.set_title(name)
    grid[-1].set_xlabel("test accuracy (%)")
