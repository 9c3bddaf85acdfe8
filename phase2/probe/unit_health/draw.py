"""The share of saturated and of dead units in trained networks, by activation and layer."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import ROW, in_percent, intervals, over_seeds
from phase2.figures.style import PALETTE, blank, nothing_without, styled
from phase2.words.levels import printed

CARD = FigureCard(
    ("units",),
    "Saturated and dead units of the trained networks: mean over layers and settings, with the 95% t interval over "
    "seeds.",
)

MEASURES = {"saturated": "saturated (%)", "dead": "dead units (%)"}
LAYERS_SHOWN = 6  # from the first to the last
HEADING, FOOT = 0.25, 0.35  # inches: a panel's ticks, and the rest of the figure


@styled
@nothing_without("units", "saturated", "dead")
def unit_health(*, units: pd.DataFrame) -> Figure:
    """Above the share of unit-image pairs with a slope near 0, below that of constant units; a column a layer.

    Dots are means over the seeds with their 95% t interval, cut to 0 and 100%; other axes are averaged first.
    """
    table = units.assign(row=printed(units.activation))
    layers = np.unique(table.layer)
    shown = layers[np.unique(np.linspace(0, len(layers) - 1, LAYERS_SHOWN).round().astype(int))]
    figure = blank(len(MEASURES) * (ROW * table.row.nunique() + HEADING) + FOOT)
    grid = figure.subplots(len(MEASURES), len(shown), sharex="row", sharey=True, squeeze=False)
    for row, (measure, name), colour in zip(grid, MEASURES.items(), PALETTE, strict=False):
        for axes, layer in zip(row, shown, strict=True):
            rows = over_seeds(table[table.layer == layer], ["row"], measure)
            intervals(axes, in_percent(rows.clip(0, 1)), colour)
            axes.set_xlabel(name)
        right = max(row[0].get_xlim()[1], 1)
        row[0].set_xlim(-0.05 * right, right)
    for axes, layer in zip(grid[0], shown, strict=True):
        axes.set_title(f"layer {layer}")
    return figure
