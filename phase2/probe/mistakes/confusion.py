"""How often each class is taken for each other one."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.style import blank, nothing_without, styled

CARD = FigureCard(
    ("confusion",),
    "Of the test images of each class (rows) the share that is taken for each class (columns), in %, mean over seeds. "
    "The diagonal, which is right, is left white, so that the mistakes show; shares below 0.05% are left out.",
)

LEAST = 0.05  # %


@styled
@nothing_without("confusion", "images")
def confusion(*, confusion: pd.DataFrame) -> Figure:
    """A matrix of shares with their numbers, labels from top to bottom, answers from left to right."""
    names = list(dict.fromkeys(confusion["label"]))
    table = confusion.pivot_table(index="label", columns="answer", values="images", aggfunc="mean")
    counts = table.loc[names, names].to_numpy(float)
    shares = 100 * counts / counts.sum(1, keepdims=True)
    mistakes = np.where(np.eye(len(names), dtype=bool), 0, shares)
    figure = blank(4.6)
    axes = figure.subplots()
    axes.imshow(mistakes, cmap="Oranges", vmin=0, vmax=max(mistakes.max(), LEAST) * 1.6)
    for (row, column), share in np.ndenumerate(shares):
        if share >= LEAST:
            axes.text(column, row, f"{share:.1f}", ha="center", va="center", weight="bold" if row == column else None)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="taken for", ylabel="class")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure
