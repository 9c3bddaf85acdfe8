"""How the signal and its gradient fare from layer to layer at initialization."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from phase2.card import FigureCard
from phase2.figures.marks import band, keys
from phase2.figures.style import MUTED, blank, nothing_without, styled
from phase2.words.levels import label, printed

CARD = FigureCard(
    ("layers",),
    "Standard deviation of activations and root mean square of gradients with respect to each layer's outputs, at "
    "initialization: geometric "
    "mean over seeds, with their range. Grey, if anywhere: beyond float32.",
)

PANEL = 1.6  # inches: height
TICKS = 7
MEASURES = {"activation_std": "std of activations", "gradient_norm": "rms of gradients"}
LEAST, MOST = 2.0**-149, 2.0**128  # float32 rounds half of the one to 0, and the other to infinity
BEYOND: dict[str, Any] = {"color": MUTED, "alpha": 0.25, "linewidth": 0}


@styled
@nothing_without("layers", "activation_std", "gradient_norm")
def gradient_flow(*, layers: pd.DataFrame) -> Figure:
    """A column an activation, a line an initialization: std of activations above, rms of gradients below.

    A line is the geometric mean over the seeds, its band their range; it has a gap where a seed's value is 0
    or overflowed. What float32 cannot hold is shaded.
    """
    table = layers.assign(panel=printed(layers.activation), line=printed(layers.init))
    activations, inits = (list(table[name].cat.categories) for name in ("panel", "line"))
    figure = blank(len(MEASURES) * PANEL + 0.6)
    grid = figure.subplots(len(MEASURES), len(activations), sharex=True, sharey="row", squeeze=False)
    for row, (measure, name) in zip(grid, MEASURES.items(), strict=True):
        row[0].set_ylabel(name)
        for axes, activation in zip(row, activations, strict=True):
            _panel(axes, table[table.panel == activation], measure, inits)
        _scale(row)
    for column, activation in enumerate(activations):
        grid[0, column].set_title(activation)
        grid[-1, column].set_xlabel("hidden layer")
    _legend(figure, inits, shaded=any(axes.patches for axes in grid[:, 0]))
    return figure


def _panel(axes: Axes, table: pd.DataFrame, measure: str, inits: list[str]) -> None:
    axes.set_yscale("log")
    axes.grid()
    for index, init in enumerate(inits):
        values = table[table.line == init].pivot(index="layer", columns="seed", values=measure)
        logs = np.log10(values.where(values > 0))
        low, middle, high = (10 ** getattr(logs, name)(axis=1, skipna=False) for name in ("min", "mean", "max"))
        band(axes, pd.DataFrame({"mean": middle, "low": low, "high": high}), index, marks=4)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def _scale(row: np.ndarray) -> None:
    """For panels of one scale: few ticks, at round powers of ten, and shades on what float32 cannot hold."""
    low, high = row[0].get_ylim()
    decades = np.log10(high / low) / TICKS
    step = next((step for step in (1, 2, 5, 10, 20) if step >= decades), 50)
    for axes in row:
        axes.yaxis.set_major_locator(LogLocator(10.0**step))
        axes.yaxis.set_minor_locator(NullLocator())
        if low < LEAST:
            axes.axhspan(low, LEAST, **BEYOND)
        if high > MOST:
            axes.axhspan(MOST, high, **BEYOND)
    row[0].set_ylim(low, high)


def _legend(figure: Figure, inits: list[str], shaded: bool) -> None:
    handles: list[Any] = keys(inits)
    if shaded:
        handles.append(Patch(label="beyond float32", **BEYOND))
    look: dict[str, Any] = {"loc": "outside lower center", "ncols": min(len(handles), 6), "handlelength": 2.8}
    figure.legend(handles=handles, title=label("init"), **look)
