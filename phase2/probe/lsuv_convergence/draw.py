"""What LSUV does to each layer: how far its variance is from 1 before and after, and how many scalings that took."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from phase2.card import FigureCard
from phase2.figures.marks import band, ranges
from phase2.figures.style import MUTED, blank, nothing_without, styled
from phase2.probe.lsuv_convergence.card import TOLERANCE
from phase2.words.levels import printed

CARD = FigureCard(
    ("convergence",),
    "LSUV layer by layer: the variance of each layer's output as LSUV finds it, how far from 1 it is left, and how "
    "many scalings that took; mean over the seeds with their range.",
)

TITLES = {"before": "variance before", "distance": "|variance − 1| after", "scalings": "scalings"}


@styled
@nothing_without("convergence", "variance")
def lsuv_convergence(*, convergence: pd.DataFrame) -> Figure:
    """Panels by layer, a line an activation: the output's variance as LSUV finds it, how far from 1 it is left, and
    the number of scalings in between. A line is the mean over the seeds, its band their range.
    """
    table = convergence.assign(line=printed(convergence.activation)).sort_values("iteration")
    layers = table.groupby(["line", "seed", "layer"], observed=True).agg(
        before=("variance", "first"), after=("variance", "last"), scalings=("iteration", "last")
    )
    layers["distance"] = (layers.after - 1).abs()
    figure = blank(2.2)
    grid = dict(zip(TITLES, figure.subplots(1, len(TITLES), sharex=True), strict=True))
    for measure, axes in grid.items():
        _panel(axes, layers[measure])
        axes.set(title=TITLES[measure], xlabel="layer (the last: output)")
    grid["before"].axhline(1, color=MUTED, linewidth=0.8, zorder=1)
    grid["before"].set_ylim(0, 1.08 * max(1, layers.before.max()))
    _tolerance(grid["distance"])
    grid["scalings"].set_ylim(-0.05, layers.scalings.max() + 0.5)
    for axis in (grid["scalings"].yaxis, grid["scalings"].xaxis):
        axis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    figure.legend(*grid["before"].get_legend_handles_labels(), loc="outside lower center", ncols=6, handlelength=2.8)
    return figure


def _panel(axes: Axes, values: pd.Series) -> None:
    """`values` are by line, seed and layer."""
    axes.grid()
    for index, name in enumerate(values.index.unique("line")):
        band(axes, ranges(values.loc[name].groupby("layer")), index, marks=4, label=name)


def _tolerance(axes: Axes) -> None:
    axes.axhline(TOLERANCE, color=MUTED, linewidth=0.8, zorder=1)
    axes.set_yscale("log")  # after the line, which is above 0 even if no distance is
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.text(0.98, TOLERANCE / 1.5, "tolerance", transform=axes.get_yaxis_transform(), ha="right", va="top")
