"""What a linear classifier reads from the features of each layer, before and after training."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import bars, is_left, panels, ranges
from phase2.figures.style import blank, nothing_without, styled
from phase2.study.factors import factors_of
from phase2.words.levels import crossed

CARD = FigureCard(
    ("linear_probes",),
    "Test accuracy of a linear classifier on the features of each layer (0: the pixels), before and after "
    "training: mean over seeds with their range.",
)

ABREAST = 4  # panels in a row at most
HEIGHT, LINE, LEGEND = 1.55, 0.13, 0.3  # inches: a panel, a line of its title, what is below all
TIMES = {"end": "after training", "start": "before training"}


@styled
@nothing_without("linear_probes", "accuracy")
def linear_probes(*, linear_probes: pd.DataFrame) -> Figure:
    """A panel a network: test accuracy by layer, 0 the pixels; dots are means over the seeds, bars their range."""
    factors = factors_of(linear_probes, before="seed")
    table = linear_probes.assign(network=crossed(linear_probes, factors), percent=100 * linear_probes.accuracy)
    names = list(table.network.cat.categories)
    per_row = min(len(names), ABREAST)
    rows = -(-len(names) // per_row)
    figure = blank(rows * (HEIGHT + LINE * max(1, len(factors))) + LEGEND)
    for name, axes in panels(figure, names, per_row).items():
        _panel(axes, table[table.network == name])
        if is_left(axes):
            axes.set_ylabel("test accuracy (%)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(TIMES), handlelength=2.8)
    return figure


def _panel(axes: Axes, table: pd.DataFrame) -> None:
    axes.grid()
    axes.set_xlabel("layer")
    for index, (when, words) in enumerate(TIMES.items()):
        bars(axes, ranges(table[table.when == when].groupby("layer").percent), index, label=words)
    axes.locator_params(axis="x", integer=True, nbins=6)
    axes.tick_params(labelbottom=True)
