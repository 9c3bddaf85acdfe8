"""One network, four implementations: their training curves, and how far rounding drives them apart."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from phase2.card import FigureCard
from phase2.figures.style import blank, nothing_without, series, styled

CARD = FigureCard(
    ("curves", "results"),
    "Minibatch loss of the four implementations (mean over seeds; they lie on each other), and the largest difference "
    "of that loss from NumPy by hand, over all seeds and up to each step. It starts at the rounding of float32, "
    "and leaps where a ReLU within rounding of its kink is open in one network and closed in another.",
)

IMPLEMENTATIONS = {
    "numpy": "NumPy by hand",
    "tape": "NumPy tape",
    "torch": "torch by hand",
    "autograd": "torch autograd",
}
REFERENCE = "numpy"
FINEST = 1e-8  # nats: below the rounding of a float32 loss; the foot of the axis, where no difference yet is drawn
MARKED = 8  # markers on a curve


@styled
@nothing_without("curves", "loss")
def four_ways(*, curves: pd.DataFrame, results: pd.DataFrame) -> Figure:
    """Left: minibatch loss by step for each implementation, mean over the seeds; they lie on each other.

    Right: the largest absolute difference of that loss from the loss of NumPy by hand, over the seeds and all steps so
    far, on a log axis.
    The legend gives each one's test accuracy, mean over the seeds, in percent.
    """
    figure = blank(2.2)
    left, right = figure.subplots(1, 2)
    accuracy = 100 * results.groupby("implementation").test_accuracy.mean()
    losses = curves.pivot(index=["seed", "step"], columns="implementation", values="loss")
    apart = losses.sub(losses[REFERENCE], axis=0).abs().groupby("step").max().cummax()
    for index, (key, name) in enumerate(IMPLEMENTATIONS.items()):
        mean = losses[key].groupby("step").mean()
        gap = max(1, len(mean) // MARKED)
        look: dict[str, Any] = {**series(index), "markevery": (index * gap // len(IMPLEMENTATIONS), gap)}
        left.plot(mean.index, mean, label=f"{name}: {accuracy[key]:.2f}%", **look)
        if key != REFERENCE:
            right.plot(apart.index, apart[key].clip(lower=FINEST), **look)
    right.set_yscale("log")
    right.set_ylim(FINEST / 2, max(1e3 * FINEST, 3 * np.nanmax(apart)))
    right.yaxis.set_major_locator(LogLocator(numticks=6))
    right.yaxis.set_minor_locator(NullLocator())
    left.set(title="minibatch loss", ylabel="nats")
    right.set(title="largest difference so far", ylabel="nats")
    for axes in (left, right):
        axes.grid()
        axes.set_xlabel("step")
    figure.legend(title="test accuracy", loc="outside lower center", ncols=4, columnspacing=1.2)
    return figure
