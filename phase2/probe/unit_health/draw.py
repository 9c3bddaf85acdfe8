"""The share of saturated and of dead units in trained networks, by activation and layer."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import ROW
from phase2.figures.style import PALETTE, blank, nothing_without, styled
from phase2.study.factors import factors_of
from phase2.words.levels import printed

CARD = FigureCard(
    ("units",),
    "Saturated and dead units of the networks that learned, at their best epoch: a dot a network, of all learning "
    "rates and seeds whose runs finished, together; a stroke at the median. Saturated: the share of pairs of a unit "
    "and a test image at which the activation's slope is below 0.01 in size: inputs below 0 for ReLU, where about "
    "half is normal; the flat ends of tanh and the sigmoid; for GELU and SiLU far below 0 or at their minimum. Dead: "
    "units whose output is the same on all images measured on: 0 for ReLU, one end for tanh and the sigmoid. Beside "
    "each activation, how many of its networks learned (their validation accuracy is more than 3 standard errors "
    "above the share of the largest class): of the others nothing is shown.",
)

MEASURES = {"saturated": "saturated (%)", "dead": "dead units (%)"}
LAYERS_SHOWN = 6  # from the first to the last
HEADING, FOOT = 0.25, 0.35  # inches: a panel's ticks, and the rest of the figure
TALLER = 1.3  # times a row of intervals: dots are spread over it
SPREAD = 0.3  # of a row, to each side: dots of networks that are alike stay apart


@styled
@nothing_without("units", "saturated", "dead")
def unit_health(*, units: pd.DataFrame) -> Figure:
    """Above the share of unit-image pairs with a slope near 0, below that of constant units; a column a layer, a row an
    activation, a dot a network that learned, a stroke at the median. An activation is named with how many learned.
    """
    names = printed(units.activation)
    networks = [names, *(units[name] for name in factors_of(units, before="val_accuracy")), units.seed]
    learned = units.learned.astype(bool).groupby(networks, observed=True).first().groupby(level=0, observed=True)
    rows = [
        f"{name} ({some} of {all_})"
        for name, some, all_ in zip(learned.sum().index, learned.sum(), learned.count(), strict=True)
    ]
    table = units.assign(place=names.cat.remove_unused_categories().cat.codes)[units.learned.astype(bool)]
    layers = np.unique(units.layer)
    shown = layers[np.unique(np.linspace(0, len(layers) - 1, LAYERS_SHOWN).round().astype(int))]
    figure = blank(len(MEASURES) * (TALLER * ROW * len(rows) + HEADING) + FOOT)
    grid = figure.subplots(len(MEASURES), len(shown), sharex="row", sharey=True, squeeze=False)
    for line, (measure, name), colour in zip(grid, MEASURES.items(), PALETTE, strict=False):
        for axes, layer in zip(line, shown, strict=True):
            _dots(axes, table[table.layer == layer], measure, colour, len(rows))
            axes.set_xlabel(name)
        top = max(1.0, 100 * table[measure].max()) if len(table) else 1.0
        line[0].set_xlim(-0.05 * top, 1.05 * top)
    grid[0, 0].set_yticks(range(len(rows)), rows)
    grid[0, 0].set_ylim(len(rows) - 0.5, -0.5)
    for axes, layer in zip(grid[0], shown, strict=True):
        axes.set_title(f"layer {layer}")
    return figure


def _dots(axes: Axes, table: pd.DataFrame, measure: str, colour: str, rows: int) -> None:
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=3)
    for place in range(rows):
        values = 100 * table[measure][table.place == place].sort_values()
        if len(values):
            apart = place + SPREAD * np.linspace(-1, 1, len(values)) * (len(values) > 1)
            axes.scatter(values, apart, s=5, color=colour, alpha=0.6, linewidths=0)
            axes.vlines(values.median(), place - 0.45, place + 0.45, color="black", linewidth=1.2)
