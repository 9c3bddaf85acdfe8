"""Where training fails: seeds that diverged, and seeds that finished without having learned."""

import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import cell_map, stacked
from phase2.figures.style import COUNTS, blank, styled
from phase2.study.factors import factors_of
from phase2.words.levels import faceted, facets

CARD = FigureCard(
    ("divergence",),
    "Seeds of each combination that diverged, and that finished without learning (stuck: on validation hardly better "
    "than guessing). A dot: none.",
)

CELL = 0.2  # inches: the height of a line
FATES = ("diverged", "stuck")


@styled
def divergence(*, divergence: pd.DataFrame) -> Figure:
    """Maps of the first factor by the second, a panel across for each combination of the others.

    Upper row: the number of seeds that diverged; lower row: of those that got stuck. A dot is none; a
    combination that was never run is blank.
    """
    factors = factors_of(divergence, before="cells")
    table = faceted(divergence, factors)
    rows, columns, names = facets(table)
    seeds = table.cells.max()
    figure = blank(2 * max(0.6, len(rows) * CELL) + 1.35)
    grid = figure.subplots(2, len(names), sharex=True, sharey=True, squeeze=False)
    norm = Normalize(-0.1 * seeds, seeds)  # so that none is a light grey, and not the white of a missing cell
    for axes_row, fate in zip(grid, FATES, strict=True):
        axes_row[0].set_ylabel(fate, weight="bold")
        for axes, name in zip(axes_row, names, strict=True):
            counts = table[table.panel == name].pivot(index="row", columns="column", values=fate)
            counts = counts.reindex(index=rows, columns=columns)
            cell_map(axes, counts, counts.map(lambda count: f"{count:.0f}" if count else "·"), norm, COUNTS)
    for axes, name in zip(grid[0], names, strict=True):
        axes.set_title(stacked(name))
    figure.supxlabel(f"number of seeds, out of {seeds:.0f} in each combination")
    return figure
