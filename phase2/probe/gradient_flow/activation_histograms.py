"""Distributions of activations and gradients through the layers at initialization."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.style import SEQUENTIAL, blank, nothing_without, styled
from phase2.words.levels import printed

CARD = FigureCard(
    ("histograms",),
    "Distributions of activations and of gradients through the layers, in units of their root mean square "
    "(printed), each scaled to its own peak; exact zeros left out.",
)

PANEL, PAGE = 0.8, 8.2  # inches: the height of a row of panels, and of all of them at most
KINDS = {"activation": "activations", "gradient": "gradients"}
RIGHT = 8.0  # the right edge, with room for a number
TALL = 0.9  # height of a ridge, in distances between ridges: less than 1, and none hides another


@styled
@nothing_without("histograms", "density")
def activation_histograms(*, histograms: pd.DataFrame) -> Figure:
    """A block of rows for activations and one for gradients, a row an activation, a column an initialization.

    A panel has a ridge for each layer, the first on top: the density of the values in units of their root mean
    square, which is printed beside it. Each is scaled to its own peak; values that are exactly 0 are left out.
    """
    table = histograms.assign(row=printed(histograms.activation), column=printed(histograms.init))
    rows, columns = (list(table[name].cat.categories) for name in ("row", "column"))
    layers = sorted(table.layer.unique())
    figure = blank(min(PAGE, len(KINDS) * (len(rows) * PANEL + 0.5)))
    for block, (kind, name) in zip(figure.subfigures(len(KINDS), 1, squeeze=False)[:, 0], KINDS.items(), strict=True):
        grid = block.subplots(len(rows), len(columns), sharex=True, sharey=True, squeeze=False)
        for (row, column), axes in np.ndenumerate(grid):
            here = (table.kind == kind) & (table.row == rows[row]) & (table.column == columns[column])
            _ridges(axes, table[here], layers)
        for axes, title in zip(grid[0], columns, strict=True):
            axes.set_title(title)
        for axes, title in zip(grid[:, 0], rows, strict=True):
            axes.set_ylabel(f"{title}\nlayer")
        block.supxlabel(f"{name}, in units of their root mean square (printed for each layer)", fontsize=7.5)
    return figure


def _ridges(axes: Axes, table: pd.DataFrame, layers: list[int]) -> None:
    for place, layer in enumerate(layers):
        bins = table[table.layer == layer]
        if not bins.density.any():
            continue
        heights = TALL * bins.density / bins.density.max() - place
        outline: dict[str, Any] = {"edges": [*bins.bin_left, bins.bin_right.iloc[-1]], "zorder": 2 + place}
        colour = colormaps[SEQUENTIAL](place / len(layers))
        axes.stairs(heights, baseline=-place, fill=True, color=colour, **outline)
        axes.stairs(heights, baseline=None, color="white", linewidth=0.4, **outline)
        rms = float(f"{bins.rms.iloc[0]:.1g}")
        axes.text(RIGHT, -place, f"{rms:g}", ha="right", va="bottom", fontsize=7)
    axes.set_yticks(-np.arange(len(layers)), [str(layer) for layer in layers])
    axes.set_xticks([-2, 0, 2])
    axes.set(xlim=(-3, RIGHT), ylim=(-len(layers) + 0.8, TALL + 0.1))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
