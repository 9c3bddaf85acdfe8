"""How the kernels of networks approach their infinite-width limit, and how much training moves the tangent kernel."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import bars, plain_log, ranges, sizes_across
from phase2.figures.style import MUTED, blank, nothing_without, styled
from phase2.words.levels import printed

CARD = FigureCard(
    ("convergence", "drift"),
    "Relative distance of the empirical kernels from their infinite-width limit, and of the tangent kernel after "
    "training from that before, against the width: geometric mean over seeds with their range. Grey: the theory's "
    "slope.",
)

TITLES = {
    "ntk_error": "tangent kernel\nfrom its limit",
    "nngp_error": "last layer's covariance\nfrom its limit",
    "drift": "tangent kernel after training\nfrom that before",
}
GUIDES = {"ntk_error": (-1 / 2, "−1/2"), "nngp_error": (-1 / 2, "−1/2"), "drift": (-1.0, "−1")}  # the theory's slopes
BELOW = 0.55  # the guide's height at the least width, in units of the lowest point there


@styled
@nothing_without("convergence", "ntk_error", "nngp_error")
def ntk_convergence(*, convergence: pd.DataFrame, drift: pd.DataFrame) -> Figure:
    """Relative distances by width, on logarithmic axes: a line an activation, the geometric mean over the seeds with
    their range. The grey line has the slope of the theory: only its direction says something.
    """
    figure = blank(2.4)
    grid = figure.subplots(1, len(TITLES), sharex=True)
    for axes, (measure, title) in zip(grid, TITLES.items(), strict=True):
        table = drift if measure == "drift" else convergence
        values = table.assign(line=printed(table.activation)).set_index(["line", "width"])[measure]
        _lines(axes, values)
        _guide(axes, values, *GUIDES[measure])
        axes.set(title=title, xlabel="width")
    grid[0].set_ylabel("relative distance")
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=6, handlelength=2.8)
    return figure


def _lines(axes: Axes, values: pd.Series) -> None:
    """`values` are by activation and width, one a seed."""
    plain_log(axes)
    sizes_across(axes, list(values.index.unique("width")))
    axes.grid()
    for index, name in enumerate(values.index.unique("line")):
        bars(axes, ranges(values.loc[name].groupby("width"), geometric=True), index, label=name)


def _guide(axes: Axes, values: pd.Series, slope: float, name: str) -> None:
    """A line of the theory's slope below all others, with its name under its middle."""
    widths = np.sort(values.index.unique("width").to_numpy(float))
    least = values.groupby("width").min()
    start = BELOW * (least * (least.index / widths[0]) ** -slope).min()
    middle = np.sqrt(widths[0] * widths[-1])
    axes.plot(widths, start * (widths / widths[0]) ** slope, color=MUTED, linewidth=0.9, zorder=1)
    look: dict[str, Any] = {
        "xytext": (-3, -2),
        "textcoords": "offset points",
        "ha": "right",
        "va": "top",
        "color": MUTED,
    }
    axes.annotate(f"slope {name}", (middle, start * (middle / widths[0]) ** slope), **look)
