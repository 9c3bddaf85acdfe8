"""The effective receptive field of random stacks: how its spread grows with depth, and its profiles."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from phase2.card import FigureCard
from phase2.figures.marks import bars, keys, plain_log, ranges, sizes_across
from phase2.figures.style import MUTED, blank, nothing_without, series, styled
from phase2.words.levels import label

CARD = FigureCard(
    ("growth", "profiles"),
    "Effective receptive field of random stacks: its standard deviation against the number of convolutions, "
    "in pixels and by the theoretical field: measured (markers: mean over seeds with their range) and predicted "
    "(lines). Stride: three stages, each at half the resolution; dilation: 2; residual: x + F(x). Below, profiles "
    "with the Gaussian of the same variance.",
)

HEIGHT = 4.1  # inches
REACH = 3.5  # standard deviations from the centre that a profile shows
LARGEST = 8  # points: the first marker


@styled
@nothing_without("growth", "sigma")
def erf_growth(*, growth: pd.DataFrame, profiles: pd.DataFrame) -> Figure:
    """Above, the standard deviation against depth, in pixels and by the theoretical field's size: lines are predicted,
    markers measured. Below, a column a variant: its profile at the least and the largest depth, dots, with the Gaussian
    of the same variance, both scaled to the Gaussian's peak.
    """
    variants = list(growth.variant.unique())
    figure = blank(HEIGHT)
    above, below = figure.subfigures(2, 1, squeeze=False)[:, 0]
    sigma, share = above.subplots(1, 2)
    parts = growth.assign(**{name: growth[name] / growth.field for name in ("sigma", "predicted")})
    for index, variant in enumerate(variants):
        _against_depth(sigma, growth[growth.variant == variant], index)
        _against_depth(share, parts[parts.variant == variant], index)
    sigma.set_ylabel("\u03c3 (pixels)")
    share.set_ylabel("\u03c3 / theoretical field")
    for axes in (sigma, share):
        plain_log(axes)
        sizes_across(axes, sorted(growth.depth.unique()))
        axes.set_xlabel("convolutions")
        axes.grid()
    depths = sorted({growth.depth.min(), growth.depth.max()})
    grid = below.subplots(len(depths), len(variants), sharey=True, squeeze=False)
    for column, variant in enumerate(variants):
        grid[0, column].set_title(label(variant))
        for axes, depth in zip(grid[:, column], depths, strict=True):
            here = profiles[(profiles.variant == variant) & (profiles.depth == depth)]
            _profile(axes, here, column)
        grid[-1, column].set_xlabel("pixels from the centre")
    for axes, depth in zip(grid[:, 0], depths, strict=True):
        axes.set_ylabel(f"depth {depth}")
    handles = keys(map(label, variants), markerfacecolor="none")
    handles.append(Line2D([], [], color=MUTED, label="Gaussian of the same variance"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _against_depth(axes: Axes, growth: pd.DataFrame, index: int) -> None:
    look = series(index)
    seeds = growth.groupby("depth")
    predicted = seeds.predicted.first()
    axes.plot(predicted.index, predicted, color=look["color"], linestyle=look["linestyle"], linewidth=0.9)
    size = LARGEST - index  # so that what lies on another leaves it to be seen
    bars(axes, ranges(seeds.sigma), index, linestyle="", markersize=size, markerfacecolor="none", capsize=0)


def _profile(axes: Axes, profile: pd.DataFrame, index: int) -> None:
    """The mean over seeds, of the pixels that are seen."""
    look = series(index)
    means = profile[profile.gaussian > 0].groupby("position")[["measured", "gaussian"]].mean()
    position, measured = means.index.to_numpy(float), means.measured.to_numpy(float)
    sigma = np.sqrt(np.average(position**2, weights=measured))
    reach = max(REACH * sigma, 1)
    x, shown = np.linspace(-reach, reach, 201), np.abs(position) <= reach
    axes.plot(x, np.exp(-(x**2) / (2 * sigma**2)), color=MUTED)
    dots = {"color": look["color"], "marker": look["marker"], "markersize": 2}
    axes.plot(position[shown], measured[shown] / means.gaussian.max(), linestyle="", **dots)
    axes.locator_params(axis="x", nbins=3, integer=True)
    axes.set_ylim(bottom=0)
