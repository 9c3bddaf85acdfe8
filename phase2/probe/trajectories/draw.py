"""Paths of optimizers through the loss of a network, in the plane of their principal components."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from phase2.card import FigureCard
from phase2.figures.marks import plain_log
from phase2.figures.style import COUNTS, blank, nothing_without, series, styled
from phase2.words.levels import label

CARD = FigureCard(
    ("paths", "surface", "tuning"),
    "Paths of the optimizers from one initialization (the dot) to where each stops (a cross in its colour), in the "
    "plane of the first two principal components of all their weights from their start, over the training loss in "
    "that plane; and the loss along each path. Losses beyond the scale have its last colours.",
)

HEIGHT = 3.1  # inches
LEVELS = 16  # of the loss, evenly in its log
MARKS = 5  # markers on a path


@styled
@nothing_without("paths", "loss")
def trajectories(*, paths: pd.DataFrame, surface: pd.DataFrame, tuning: pd.DataFrame) -> Figure:
    """Left, the paths over contours of the training loss, a dot at their start and a cross at each end; right, the
    loss along each path. The legend has each optimizer's rate: the best of those it was tried at.
    """
    figure = blank(HEIGHT)
    left, right = figure.subplots(1, 2, width_ratios=[1.35, 1])
    left.set_title("paths over the training loss (nats)")
    _surface(figure, left, surface)
    rates = tuning[(tuning.problem == "network") & tuning.best].set_index("optimizer").lr
    handles = []
    for index, (optimizer, path) in enumerate(paths.groupby("optimizer", sort=False)):
        every = max(1, len(path) // MARKS)
        look = series(index) | {"markevery": (index % every, every)}  # so that markers of paths that meet differ
        left.plot(path.x, path.y, **look)
        left.plot(path.x.iloc[-1], path.y.iloc[-1], "X", color=look["color"], markeredgecolor="white", markersize=7)
        right.plot(path.step, path.loss, **look)
        handles.append(Line2D([], [], label=f"{label(optimizer)}, {rates[optimizer]:g}", **series(index)))
    left.plot(paths.x.iloc[0], paths.y.iloc[0], "o", color="black", markeredgecolor="white", markersize=6)
    right.set(yscale="log", xlabel="step", title="training loss (nats) by step")
    plain_log(right)
    right.grid()
    figure.legend(handles=handles, title="optimizer, learning rate", loc="outside lower center", ncols=4)
    return figure


def _surface(figure: Figure, axes: Axes, surface: pd.DataFrame) -> None:
    heights = surface.pivot(index="y", columns="x", values="loss")
    low, high = np.nanmin(heights), np.nanmax(heights[np.isfinite(heights)])
    levels = np.geomspace(low, max(high, 1.01 * low), LEVELS)
    grid = heights.columns, heights.index, heights
    filled = axes.contourf(*grid, levels=levels, cmap=COUNTS, norm=LogNorm(low, levels[-1] * 3), extend="both")
    axes.contour(*grid, levels=levels, colors="white", linewidths=0.4)
    shares = surface[["share_x", "share_y"]].iloc[0] * 100
    axes.set_xlabel(f"first principal component ({shares.share_x:.0f}% of the squared distances)")
    axes.set_ylabel(f"second principal component ({shares.share_y:.0f}%)")
    bar = figure.colorbar(filled, ax=axes, pad=0.02, aspect=30)
    bar.set_ticks(
        [tick for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if low <= tick <= levels[-1]]
    )
    bar.ax.yaxis.set_major_formatter("{x:g}")
    bar.ax.minorticks_off()
