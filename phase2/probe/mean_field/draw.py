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
from phase2.figures.style import MARKERS, MUTED, PALETTE, blank, nothing_without, styled
from phase2.words.levels import printed

CARD = FigureCard(
    ("variance", "phase", "boundary"),
    "Mean-field theory. Above: variance of the pre-activations by layer, predicted (lines) and measured in random "
    "networks (dots). Below: measured growth of the gradient a layer, with the predicted edge of chaos.",
)

HEIGHT = 3.6  # inches
WEIGHTS = 4  # values of sigma_w whose variance is drawn
FAR = 1e4  # variances beyond it, or below its inverse, are off the scale
GROWTH = "PuOr_r"  # both signs, for every eye: purple shrinks, orange grows
STEEPEST = 0.5  # log growth a layer at which the colour is full


@styled
@nothing_without("variance", "measured")
def mean_field(*, variance: pd.DataFrame, phase: pd.DataFrame, boundary: pd.DataFrame) -> Figure:
    """A column an activation. Above, variance by layer for a few sigma_w at the smallest sigma_b: predicted lines,
    and dots for the mean over seeds. Below, the measured log growth of the gradient's norm a layer over the plane
    (sigma_w, sigma_b), and the predicted edge of chaos.
    """
    names = printed(phase.activation).cat.categories
    label_of = dict(zip(phase.activation, printed(phase.activation), strict=True))
    figure = blank(HEIGHT)
    grid = figure.subplots(2, len(names), sharex="row", sharey="row", squeeze=False)
    weights = _spread(np.unique(variance.weight_std))
    bias = variance.bias_std.min()
    for (above, below), name in zip(grid.T, names, strict=True):
        here = [table[table.activation.map(label_of) == name] for table in (variance, phase, boundary)]
        above.set_title(name)
        _by_layer(above, here[0][here[0].bias_std == bias], weights)
        mesh = _plane(below, here[1], here[2])
    grid[0, 0].set(yscale="log", ylabel="variance")
    grid[0, 0].set_ylim(*_limits(variance[(variance.bias_std == bias) & variance.weight_std.isin(weights)]))
    grid[1, 0].set(ylabel=r"$\sigma_b$")
    for axes in grid[0]:
        axes.set_xlabel("layer")
    for axes in grid[1]:
        axes.set_xlabel(r"$\sigma_w$")
    bar = figure.colorbar(mesh, ax=grid[1].tolist(), extend="both", aspect=12, pad=0.02)
    bar.set_label("log growth of\nthe gradient a layer")
    _legend(figure, weights, bias)
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


def _limits(variance: pd.DataFrame) -> tuple[float, float]:
    values = variance[["measured", "predicted"]].to_numpy()
    values = values[(values > 1 / FAR) & (values < FAR)]
    return (values.min() / 2, values.max() * 2) if len(values) else (1 / FAR, FAR)


def _plane(axes: Axes, phase: pd.DataFrame, boundary: pd.DataFrame) -> QuadMesh:
    cells = phase.pivot(index="bias_std", columns="weight_std", values="measured_gradient_ratio")
    across, up = _edges(cells.columns.to_numpy(float)), _edges(cells.index.to_numpy(float))
    axes.set_facecolor(MUTED)  # where the gradient over- or underflowed
    mesh = axes.pcolormesh(across, up, cells, cmap=GROWTH, norm=Normalize(-STEEPEST, STEEPEST), rasterized=True)
    axes.plot(boundary.weight_std, boundary.bias_std, color="black", linewidth=1.4)
    axes.set(xlim=(across[0], across[-1]), ylim=(up[0], up[-1]))
    axes.locator_params(nbins=4)
    return mesh


def _edges(centres: np.ndarray) -> np.ndarray:
    """The borders of cells around `centres`, midway between neighbours."""
    if len(centres) == 1:
        return centres[0] + np.array([-0.5, 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def _legend(figure: Figure, weights: list[float], bias: float) -> None:
    handles = [
        Line2D([], [], linewidth=0.9, label=rf"$\sigma_w = {value:g}$", **_look(index))
        for index, value in enumerate(weights)
    ]
    handles.append(Line2D([], [], color="black", linewidth=1.4, label=r"edge of chaos, $\chi = 1$"))
    title = rf"lines: theory; dots: measured; above at $\sigma_b = {bias:g}$"
    figure.legend(handles=handles, title=title, loc="outside lower center", ncols=len(handles), title_fontsize=7)
