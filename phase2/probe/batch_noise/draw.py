"""BatchNorm's noise against batch size: measured, and by the delta method."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import bars, ranges
from phase2.figures.style import PALETTE, blank, nothing_without, styled

CARD = FigureCard(
    ("noise",),
    "Variance over random batches of a sample's normalized value, of the batch's mean and of its standard "
    "deviation, in units of the data's variance; below, relative to theory. Dots: mean over seeds with their range.",
)

QUANTITIES = {"normalized": "a sample, normalized", "mean": "mean of a batch", "std": "std of a batch"}
THEORY: dict[str, dict[str, Any]] = {
    "predicted": {"label": "theory, the data's own moments", "color": PALETTE[1], "linestyle": "-"},
    "gaussian": {"label": "theory, Gaussian", "color": PALETTE[2], "linestyle": "--"},
}
DOTS: dict[str, Any] = {"label": "measured", "linestyle": "", "markersize": 2.8, "zorder": 3}


@styled
@nothing_without("noise", "measured")
def batch_noise(*, noise: pd.DataFrame) -> Figure:
    """A column a quantity: its variance over batches, by batch size, in units of the data's variance.

    Below, the same by its theory. Dots are means over the seeds with their range; lines are theory.
    """
    figure = blank(3.2)
    grid = figure.subplots(2, len(QUANTITIES), sharex=True, sharey="row", height_ratios=(1.6, 1))
    for (upper, lower), (quantity, title) in zip(grid.T, QUANTITIES.items(), strict=True):
        here = noise[noise.quantity == quantity]
        relative = here.assign(**{name: here[name] / here.predicted for name in ("measured", *THEORY)})
        _panel(upper, here)
        _panel(lower, relative)
        upper.set_xscale("log", base=2)
        upper.set_xlim(noise.batch_size.min() / 1.5, noise.batch_size.max() * 1.5)  # also of a single size
        upper.set_yscale("log")
        upper.set_title(title)
        lower.set_xlabel("batch size")
    grid[0, 0].set_ylabel("variance")
    grid[1, 0].set_ylabel("ratio to theory")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _panel(axes: Axes, noise: pd.DataFrame) -> None:
    theory = noise.groupby("batch_size")[list(THEORY)].mean()
    measured = ranges(noise.groupby("batch_size").measured)
    axes.grid()
    for name, look in THEORY.items():
        axes.plot(theory.index, theory[name], **look)
    bars(axes, measured, 0, **DOTS)
