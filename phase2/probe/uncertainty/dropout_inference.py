"""Dropout at inference: what the scaling, done right and forgotten, and averaging over masks do to predictions."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import bars, ranges
from phase2.figures.style import MUTED, blank, nothing_without, series, styled

CARD = FigureCard(
    ("inference", "calibration"),
    "Dropout at inference: scaled right, with the scaling forgotten, and averaged over Monte-Carlo samples; mean "
    "over seeds with their range. Right: at the rate nearest one half, how often predictions of each confidence are "
    "right (grey: as often as they should be; faint dots: the seeds).",
)

METHODS = {"deterministic": "scaling right", "unscaled": "scaling forgotten", "monte_carlo": "Monte-Carlo"}
MEASURES = {"accuracy": ("test accuracy (%)", 100), "nll": ("NLL (nats)", 1)}
MEASURES |= {"ece": ("ECE (%)", 100)}
RATE = 0.5  # the reliability diagram is of the rate nearest to it
FEWEST = 10  # images in a bin, of all seeds: accuracy over fewer says little


@styled
@nothing_without("inference", "accuracy")
def dropout_inference(*, inference: pd.DataFrame, calibration: pd.DataFrame) -> Figure:
    """Accuracy, negative log-likelihood and expected calibration error by dropout rate, and a reliability diagram.

    A line is a method: the mean over the seeds with their range. The diagram is of the rate nearest to one
    half: in each bin of confidence the accuracy of all seeds' images, faint dots are the seeds'; bins of fewer than 10
    images are left out.
    """
    figure = blank(2.15)
    *panels, reliability = figure.subplots(1, len(MEASURES) + 1)
    for axes, (measure, (name, scale)) in zip(panels, MEASURES.items(), strict=True):
        _by_rate(axes, inference.assign(scaled=inference[measure] * scale))
        axes.set(title=name, xlabel="dropout rate")
    rates = calibration.dropout
    rate = min(rates.unique(), key=lambda level: abs(level - RATE))
    _reliability(reliability, calibration[rates == rate])
    reliability.set(title=f"reliability, rate {rate:g}", xlabel="confidence (%)", ylabel="accuracy (%)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, handlelength=2.8)
    return figure


def _by_rate(axes: Axes, inference: pd.DataFrame) -> None:
    axes.grid()
    axes.locator_params(nbins=5)
    for index, (method, name) in enumerate(METHODS.items()):
        rows = ranges(inference[inference.method == method].groupby("dropout").scaled)
        bars(axes, rows, index, label=name)


def _reliability(axes: Axes, calibration: pd.DataFrame) -> None:
    axes.grid()
    axes.plot([0, 100], [0, 100], color=MUTED, linewidth=0.8, zorder=1)
    axes.set(xlim=(0, 103), ylim=(0, 103))
    sums = calibration.assign(
        confidence=calibration.confidence * calibration["count"], accuracy=calibration.accuracy * calibration["count"]
    )
    for index, method in enumerate(METHODS):
        pooled = sums[sums.method == method].groupby("bin")[["confidence", "accuracy", "count"]].sum()
        pooled = pooled[pooled["count"] >= FEWEST]
        seeds = calibration[(calibration.method == method) & calibration.bin.isin(pooled.index)]
        look = series(index)
        axes.scatter(100 * seeds.confidence, 100 * seeds.accuracy, s=3, color=look["color"], alpha=0.35, linewidths=0)
        axes.plot(100 * pooled.confidence / pooled["count"], 100 * pooled.accuracy / pooled["count"], **look)
