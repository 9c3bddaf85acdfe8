"""Paths of optimizers on functions of the plane, and on the quadratic the theory's rate."""

from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from phase2.card import FigureCard
from phase2.figures.style import MUTED, blank, nothing_without, series, styled
from phase2.probe.trajectories.functions import Function
from phase2.probe.trajectories.functions import functions as known
from phase2.words.levels import label

CARD = FigureCard(
    ("functions", "quadratic"),
    "Paths on an ill-conditioned quadratic, on Rosenbrock's and on Beale's function, each optimizer at the best of "
    "many rates, the same for all, AdamW with its decay, from the black dot towards the star at the "
    "minimum: above with one rate for all coordinates, below with one for each. Contours are of the function, two a "
    "decade. Paths may leave a panel and come back. Right, the distance from the quadratic's minimum with the theory's "
    "settings: measured (markers) and predicted (lines), down to rounding.",
)

HEIGHT = 3.9  # inches
PLAIN = {"sgd", "momentum", "nesterov"}  # one rate for all coordinates
NAMES = {"quadratic": "quadratic", "rosenbrock": "Rosenbrock", "beale": "Beale"}
WINDOWS = {  # x and y that are drawn
    "quadratic": ((-0.3, 1.7), (-0.3, 1.7)),
    "rosenbrock": ((-1.6, 1.6), (-0.7, 1.7)),
    "beale": ((0.5, 3.7), (-0.7, 1.4)),
}
POINTS = 201  # a side of the grid of the contours
LEVELS = np.geomspace(1e-3, 1e3, 13)
MARKS = 5  # markers on a path
ROOM = 0.12  # of the distances' decades: kept free for the legend
FLOOR = 1e-13  # distances below it are rounding, and are not drawn


@styled
@nothing_without("functions", "x", "y")
def descent_paths(*, functions: pd.DataFrame, quadratic: pd.DataFrame) -> Figure:
    """A column a function, from a dot to the star of its minimum: above the paths of methods with one rate, below of
    those with a rate for each coordinate; contours are two a decade. Right, the distance from the quadratic's minimum
    by step with the theory's best settings: measured (markers) and predicted (lines).
    """
    figure = blank(HEIGHT)
    paths, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[3, 1.15])[0]
    of = known(float(quadratic.condition.iloc[0]))
    looks = {optimizer: series(index) for index, optimizer in enumerate(functions.optimizer.unique())}
    rows = [row for row in (PLAIN & looks.keys(), looks.keys() - PLAIN) if row]
    names = functions.function.unique()
    grid = paths.subplots(len(rows), len(names), sharex="col", sharey="col", squeeze=False)
    for (row, optimizers), (column, name) in product(enumerate(rows), enumerate(names)):
        axes = grid[row, column]
        _contours(axes, of[name], *WINDOWS[name])
        here = functions[(functions.function == name) & functions.optimizer.isin(optimizers)]
        for optimizer, path in here.groupby("optimizer", sort=False):
            axes.plot(path.x, path.y, markevery=max(1, len(path) // MARKS), linewidth=0.9, **looks[optimizer])
        axes.set(xlim=WINDOWS[name][0], ylim=WINDOWS[name][1], title=NAMES[name] if row == 0 else "")
        axes.set(xlabel="x", ylabel="y" if column == 0 else "")
        axes.tick_params(labelbottom=True)  # also above others
        axes.locator_params(nbins=4)
    _distances(right.subplots(), quadratic)
    handles = [Line2D([], [], label=label(optimizer), **look) for optimizer, look in looks.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _contours(axes: Axes, function: Function, width: tuple[float, float], height: tuple[float, float]) -> None:
    x, y = np.meshgrid(np.linspace(*width, POINTS), np.linspace(*height, POINTS))
    axes.contour(x, y, function.value(x, y), levels=LEVELS, colors=MUTED, linewidths=0.4)
    axes.plot(*function.minimum, "*", color="black", markersize=6, zorder=4)
    axes.plot(*function.start, "o", color="black", markersize=4, zorder=4)


def _distances(axes: Axes, quadratic: pd.DataFrame) -> None:
    for index, (method, path) in enumerate(quadratic.groupby("method", sort=False)):
        drawn = path[(path.distance > FLOOR) & (path.predicted > FLOOR)]
        dots = drawn.iloc[:: max(1, len(drawn) // 12)]
        look = series(index)
        axes.plot(drawn.step, drawn.predicted, color=look["color"], linestyle=look["linestyle"])
        axes.plot(
            dots.step,
            dots.distance,
            look["marker"],
            color=look["color"],
            markersize=3.5,
            label=label(method).replace("_", " "),
        )
    axes.set(yscale="log", xlabel="step", title="distance (quadratic)")
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom * (bottom / top) ** ROOM, top)
    axes.grid()
    axes.legend(loc="lower left", handletextpad=0.2, borderaxespad=0.1)
