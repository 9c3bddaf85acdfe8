"""The loss in a plane around each trained network, as a map with lines of equal loss."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter

from phase2.card import FigureCard
from phase2.figures.marks import is_left, panels
from phase2.figures.style import FULL_WIDTH, MUTED, SEQUENTIAL, blank, nothing_without, styled
from phase2.probe.landscape.card import SHOWN
from phase2.study.factors import factors_of
from phase2.words.levels import crossed

CARD = FigureCard(
    ("planes",),
    "Training loss in a plane of two filter-normalized random directions around trained networks, of one seed. "
    "BatchNorm's statistics are recomputed at every point. A cross marks the network, a ring the least loss of "
    "the plane; the largest twentieth of all losses share a colour.",
)

ABREAST = 6  # panels in a row at most
TALLEST, WIDEST = 8.5, 2.6  # inches: the figure, a panel
BELOW, LINE = 0.75, 0.13  # inches: what is below the panels, a line of a title
LEVELS = 13  # lines of equal loss
TICKS = (1, 2, 3, 5)  # times a power of ten
EDGE = [withStroke(linewidth=2.2, foreground="black")]  # so that white shows on every colour
SOLUTION: dict[str, Any] = {"marker": "+", "color": "white", "markersize": 10, "markeredgewidth": 1.2}
MINIMUM: dict[str, Any] = {
    "marker": "o",
    "color": "white",
    "markersize": 5,
    "markerfacecolor": "none",
    "markeredgewidth": 1.0,
}


@styled
@nothing_without("planes", "loss")
def landscape_planes(*, planes: pd.DataFrame) -> Figure:
    """A panel a network: log loss over x and y, on one scale. A cross marks the solution, a ring the least loss of the
    plane; grey is what is not finite.
    """
    factors = factors_of(planes, before="seed")
    planes = planes.assign(panel=crossed(planes, [*factors[1:], *factors[:1]]))  # the first factor varies along a row
    names = list(planes.panel.cat.categories)
    per_row = len(names) if len(names) <= ABREAST else min(ABREAST, planes[factors[0]].nunique())
    rows = -(-len(names) // per_row)
    levels = _levels(planes.loss)
    titles = 0.15 + LINE * max(1, len(factors))
    side = min((FULL_WIDTH - 1.5) / per_row, (TALLEST - BELOW) / rows - titles, WIDEST)
    figure = blank(BELOW + rows * (side + titles))
    for name, axes in panels(figure, names, per_row).items():
        filled = _map(axes, planes[planes.panel == name], levels)
    bar = figure.colorbar(filled, ax=figure.axes, aspect=30, pad=0.02, format=FuncFormatter(lambda x, _: f"{x:g}"))
    bar.set_label("training loss (nats)")
    bar.set_ticks(_ticks(levels))
    bar.minorticks_off()
    marks = {"the trained network": SOLUTION, "least loss of the plane": MINIMUM}
    handles = [Line2D([], [], linestyle="", label=name, **mark | {"color": "black"}) for name, mark in marks.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _levels(losses: pd.Series) -> np.ndarray:
    """Evenly spread logarithms from the least loss to the largest but for a few."""
    finite = losses[np.isfinite(losses) & (losses > 0)]
    low = finite.min() if len(finite) else 1.0
    high = finite.quantile(SHOWN) if len(finite) else low
    return np.geomspace(low, max(high, 1.01 * low), LEVELS)


def _ticks(levels: np.ndarray) -> list[float]:
    round_numbers = [digit * 10.0**power for power in range(-12, 12) for digit in TICKS]
    inside = [number for number in round_numbers if levels[0] <= number <= levels[-1]]
    return inside if len(inside) > 1 else [float(f"{levels[0]:.2g}"), float(f"{levels[-1]:.2g}")]


def _map(axes: Axes, plane: pd.DataFrame, levels: np.ndarray) -> QuadContourSet:
    cells = plane.pivot(index="y", columns="x", values="loss")
    x, y = cells.columns.to_numpy(float), cells.index.to_numpy(float)
    loss = cells.to_numpy(float).clip(min=levels[0])
    loss = np.where(np.isfinite(loss), loss, np.nan)
    axes.set_facecolor(MUTED)
    norm = LogNorm(levels[0], levels[-1])
    shown = np.ma.masked_invalid(loss)
    filled = axes.contourf(x, y, shown, levels=levels, norm=norm, cmap=SEQUENTIAL, extend="max")
    axes.contour(x, y, shown, levels=levels[1:], colors="black", linewidths=0.3)
    axes.plot(0, 0, path_effects=EDGE, **SOLUTION)
    if np.isfinite(loss).any():
        row, column = np.unravel_index(np.nanargmin(loss), loss.shape)
        axes.plot(x[column], y[row], path_effects=EDGE, **MINIMUM)
    axes.set(aspect="equal", xlabel="first direction")
    axes.locator_params(nbins=3)
    axes.label_outer()
    if is_left(axes):
        axes.set_ylabel("second direction")
    return filled
