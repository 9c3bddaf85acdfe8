"""How the kernels of networks approach their infinite-width limit, and how much training moves the tangent kernel."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from phase2.card import FigureCard
from phase2.figures.marks import sizes_across
from phase2.figures.style import MUTED, blank, nothing_without, series, styled
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
        values = table.assign(line=printed(table.activation)).pivot(
            index=["line", "width"], columns="seed", values=measure
        )
        _lines(axes, values)
        _guide(axes, values, *GUIDES[measure])
        axes.set(title=title, xlabel="width")
    grid[0].set_ylabel("relative distance")
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=6, handlelength=2.8)
    return figure


def _lines(axes: Axes, values: pd.DataFrame) -> None:
    """`values` has a row for each activation and width, and a column for each seed."""
    axes.set_yscale("log")
    sizes_across(axes, list(values.index.unique("width")))
    axes.grid()
    for index, name in enumerate(values.index.unique("line")):
        here = values.loc[name]
        mean = np.exp(np.log(here).mean(axis=1))
        spread = np.stack([mean - here.min(axis=1), here.max(axis=1) - mean]).clip(0)  # rounding of the mean
        axes.errorbar(mean.index, mean, yerr=spread, capsize=2, elinewidth=0.8, label=name, **series(index))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()


def _guide(axes: Axes, values: pd.DataFrame, slope: float, name: str) -> None:
    """A line of the theory's slope below all others, with its name under its middle."""
    widths = np.sort(values.index.unique("width").to_numpy(float))
    least = values.groupby("width").min().min(axis=1)
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
