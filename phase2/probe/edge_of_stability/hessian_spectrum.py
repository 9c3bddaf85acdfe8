"""The upper end of the Hessian's spectrum before and after training."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import bars, ranges
from phase2.figures.style import blank, nothing_without, series, styled

CARD = FigureCard(
    ("spectrum",),
    "The largest eigenvalues of the Hessian before and after training, and the mean of all eigenvalues "
    "(the trace divided by their number): mean over seeds with their range.",
)

HEIGHT = 1.8  # inches
TIMES = ("before", "after")


@styled
@nothing_without("spectrum", "value")
def hessian_spectrum(*, spectrum: pd.DataFrame) -> Figure:
    """A column a rate: the largest eigenvalues by rank, mean over seeds with their range; a line without dots is the
    mean of all eigenvalues, trace / parameters.
    """
    rates = sorted(spectrum.lr.unique())
    figure = blank(HEIGHT)
    row = figure.subplots(1, len(rates), sharex=True, sharey=True, squeeze=False)[0]
    for axes, lr in zip(row, rates, strict=True):
        axes.set(title=f"rate {lr:g}", xlabel="rank")
        axes.grid()
        for index, when in enumerate(TIMES):
            _spectrum(axes, spectrum[(spectrum.lr == lr) & (spectrum.when == when)], index)
    row[0].set(yscale="log", ylabel="eigenvalue")
    row[0].locator_params(axis="x", nbins=5, integer=True)
    figure.legend(*row[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _spectrum(axes: Axes, spectrum: pd.DataFrame, index: int) -> None:
    if spectrum.empty:  # the descent diverged in every seed
        return
    by_rank = spectrum[spectrum.quantity == "eigenvalue"].groupby("rank").value
    bars(axes, ranges(by_rank), index, label=TIMES[index], markersize=2.5, capsize=0)
    whole = spectrum.pivot_table(index="seed", columns="quantity", values="value", aggfunc="first")
    level, look = (whole.trace / whole.parameters).mean(), series(index)
    axes.axhline(
        level, color=look["color"], linestyle=look["linestyle"], linewidth=0.9, label=f"mean of all, {TIMES[index]}"
    )
