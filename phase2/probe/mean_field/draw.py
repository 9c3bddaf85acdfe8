"""Variance and gradients through wide random networks: theory and measurement, and the edge of chaos."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from phase2.card import FigureCard
from phase2.figures.marks import bars, ranges
from phase2.figures.style import MARKERS, MUTED, PALETTE, blank, nothing_without, styled
from phase2.words.levels import printed

CARD = FigureCard(
    ("variance", "phase", "boundary"),
    "Mean-field theory of random networks: lines predict, dots are measured, mean over seeds (in the middle with "
    "their range). Top: variance of the pre-activations by layer, from an input of mean square 1. Middle: log of the "
    "gradient's growth a layer, which passes 0 where theory says if dots lie on the lines. Bottom: the measured growth "
    "over all weights and biases; solid, the edge of chaos, where chi is 1; dotted, if anywhere, where chi leaps from "
    "one side of 1 to the other without being 1: this is not an edge of chaos, and there the input decides whether "
    "gradients grow or shrink. Growth beyond the scale has its last colours; grey, if anywhere: over- or underflow.",
)

HEIGHT = 5.2  # inches
WEIGHTS = 4  # values of sigma_w whose variance is drawn
FAR = 1e4  # variances beyond it, or below its inverse, are off the scale
PASSAGES: dict[str, Any] = {"edge": "-", "jump": ":"}
GROWTH = "PuOr_r"  # both signs, for every eye: purple shrinks, orange grows
STEEPEST = 0.5  # log growth a layer at which the colour is full
ROOM = 0.1  # above and below it


@styled
@nothing_without("variance", "measured")
def mean_field(*, variance: pd.DataFrame, phase: pd.DataFrame, boundary: pd.DataFrame) -> Figure:
    """A column an activation. On top variance by layer for a few sigma_w at the smallest sigma_b; in the middle the
    log growth of the gradient's norm a layer by sigma_w, at the smallest and the largest sigma_b. Lines are predicted,
    dots the mean over seeds. At the bottom the measured growth over the plane (sigma_w, sigma_b), with the predicted
    edge of chaos, or where there is none, the jump of chi past 1.
    """
    names = printed(phase.activation).cat.categories
    label_of = dict(zip(phase.activation, printed(phase.activation), strict=True))
    figure = blank(HEIGHT)
    grid = figure.subplots(3, len(names), sharex="row", sharey="row", squeeze=False)
    weights = _spread(np.unique(variance.weight_std))
    biases = sorted({variance.bias_std.min(), variance.bias_std.max()})
    for (top, middle, bottom), name in zip(grid.T, names, strict=True):
        here = [table[table.activation.map(label_of) == name] for table in (variance, phase, boundary)]
        top.set_title(name)
        _by_layer(top, here[0][here[0].bias_std == biases[0]], weights)
        _by_weight(middle, here[1], biases)
        mesh = _plane(bottom, here[1], here[2])
    grid[0, 0].set(yscale="log", ylabel="variance")
    grid[0, 0].set_ylim(*_limits(variance[(variance.bias_std == biases[0]) & variance.weight_std.isin(weights)]))
    grid[1, 0].set_ylabel("log growth of\nthe gradient a layer")
    grid[1, 0].set_ylim(-STEEPEST - ROOM, STEEPEST + ROOM)
    grid[2, 0].set(ylabel=r"$\sigma_b$")
    for axes, words in zip(grid.T.ravel(), ["layer", r"$\sigma_w$", r"$\sigma_w$"] * len(names), strict=True):
        axes.set_xlabel(words)
    bar = figure.colorbar(mesh, cax=grid[2, -1].inset_axes((1.08, 0, 0.07, 1)), extend="both")
    bar.set_label("log growth of\nthe gradient a layer")
    _legends(figure, grid, weights, biases)
    return figure


def _spread(weights: np.ndarray) -> list[float]:
    """At most WEIGHTS of the values, from the first to the last."""
    picked = np.linspace(0, len(weights) - 1, min(len(weights), WEIGHTS)).round().astype(int)
    return list(weights[picked])


def _look(index: int) -> dict[str, Any]:
    return {"color": PALETTE[index], "marker": MARKERS[index]}


def _by_layer(axes: Axes, variance: pd.DataFrame, weights: list[float]) -> None:
    axes.grid()
    for index, weight_std in enumerate(weights):
        layers = variance[variance.weight_std == weight_std].groupby("layer")[["measured", "predicted"]].mean()
        dots = layers.iloc[:: max(1, len(layers) // 6)]
        axes.plot(layers.index, layers.predicted, color=PALETTE[index], linewidth=0.9)
        axes.plot(dots.index, dots.measured, linestyle="", markersize=3, **_look(index))
    axes.locator_params(axis="x", nbins=4, integer=True)


def _by_weight(axes: Axes, phase: pd.DataFrame, biases: list[float]) -> None:
    axes.grid()
    axes.axhline(0, color=MUTED, linewidth=0.8)
    for index, bias_std in enumerate(biases):
        by_weight = phase[phase.bias_std == bias_std].groupby("weight_std")
        axes.plot(by_weight.predicted_growth.first(), color=PALETTE[index], linewidth=0.9)
        bars(axes, ranges(by_weight.measured_growth), index, linestyle="", markersize=3)
    axes.locator_params(axis="x", nbins=4)


def _limits(variance: pd.DataFrame) -> tuple[float, float]:
    values = variance[["measured", "predicted"]].to_numpy()
    values = values[(values > 1 / FAR) & (values < FAR)]
    return (values.min() / 2, values.max() * 2) if len(values) else (1 / FAR, FAR)


def _plane(axes: Axes, phase: pd.DataFrame, boundary: pd.DataFrame) -> QuadMesh:
    cells = phase.pivot_table("measured_growth", "bias_std", "weight_std", dropna=False)
    across, up = _edges(cells.columns.to_numpy(float)), _edges(cells.index.to_numpy(float))
    axes.set_facecolor(MUTED)  # where the gradient over- or underflowed
    mesh = axes.pcolormesh(across, up, cells, cmap=GROWTH, norm=Normalize(-STEEPEST, STEEPEST), rasterized=True)
    for passage, line in PASSAGES.items():
        here = boundary.weight_std.where(boundary.passage == passage)  # a gap where it is another
        axes.plot(here, boundary.bias_std, color="black", linewidth=1.4, linestyle=line)
    axes.set(xlim=(across[0], across[-1]), ylim=(up[0], up[-1]))
    axes.locator_params(nbins=4)
    return mesh


def _edges(centres: np.ndarray) -> np.ndarray:
    """The borders of cells around `centres`, midway between neighbours."""
    if len(centres) == 1:
        return centres[0] + np.array([-0.5, 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def _legends(figure: Figure, grid: np.ndarray, weights: list[float], biases: list[float]) -> None:
    of_weights = [
        Line2D([], [], linewidth=0.9, label=rf"$\sigma_w = {value:g}$", **_look(index))
        for index, value in enumerate(weights)
    ]
    of_biases = [
        Line2D([], [], linewidth=0.9, label=rf"$\sigma_b = {value:g}$", **_look(index))
        for index, value in enumerate(biases)
    ]
    names = zip(PASSAGES.values(), (r"edge of chaos, $\chi = 1$", r"$\chi$ leaps past 1: not an edge"), strict=True)
    passages = [Line2D([], [], color="black", linewidth=1.4, linestyle=line, label=label) for line, label in names]
    beside: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
    grid[0, -1].legend(handles=of_weights, title=rf"$\sigma_b = {biases[0]:g}$", **beside)
    grid[1, -1].legend(handles=of_biases, **beside)
    figure.legend(handles=passages, loc="outside lower center", ncols=2)
