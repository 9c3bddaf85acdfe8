"""The effective receptive fields of the networks of a study, before and after training."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Ellipse, Rectangle

from phase2.card import FigureCard
from phase2.figures.marks import stacked
from phase2.figures.style import FULL_WIDTH, SEQUENTIAL, blank, nothing_without, styled
from phase2.study.factors import factors_of
from phase2.words.levels import crossed

CARD = FigureCard(
    ("fields", "maps"),
    "Effective receptive fields of the networks of a study before and after training: mean squared gradient of "
    "the last map's centre by the image, one seed, each scaled to its peak. Below, the sides of the theoretical field "
    "and of the image, in pixels: where the field is larger, the image cuts it off, and with it the spread that "
    "can be measured. The frame, where a field is smaller than the image, is the "
    "theoretical field. The ellipse is the Gaussian of the same mean and variances at two standard deviations, within "
    "which it holds 86% of its mass. Share: the least part of the theoretical field inside the image that "
    "holds 86% of the squared gradient.",
)

ABREAST = 6  # networks in a row at most
TALLEST, WIDEST = 8.5, 1.4  # inches: the figure, a map
LINE = 0.17  # inches: a line of text
TIMES = {"start": "before training", "trained": "trained"}
FRAME: dict[str, Any] = {"fill": False, "edgecolor": "#F0F0F0", "linewidth": 1.0, "linestyle": (0, (4, 2))}
ELLIPSE: dict[str, Any] = {"fill": False, "edgecolor": "white", "linewidth": 1.2}


@styled
@nothing_without("maps", "value")
def erf_maps(*, fields: pd.DataFrame, maps: pd.DataFrame) -> Figure:
    """A column a network, its map before training above that after; under each the spread of the squared gradient and
    the part of the visible theoretical field that holds most of it. Networks beyond a row go below.
    """
    factors = factors_of(fields, before="when")
    fields = fields[fields.seed == maps.seed.iloc[0]]
    fields, maps = (table.assign(network=crossed(table, factors)) for table in (fields, maps))
    names = list(fields.network.cat.categories)
    blocks = -(-len(names) // ABREAST)
    per_row = -(-len(names) // blocks)
    heads = LINE * (len(factors) + 2) + 2 * 3 * LINE
    side = min((FULL_WIDTH - 1.2) / per_row, ((TALLEST - LINE) / blocks - heads) / 2, WIDEST)
    figure = blank(blocks * (2 * side + heads) + LINE)
    figure.set_layout_engine("constrained", h_pad=0.1)  # a title of three lines is higher than it is taken for
    grid = figure.subplots(2 * blocks, per_row, squeeze=False)
    for spare in grid[-2:, len(names) - (blocks - 1) * per_row :].ravel():
        spare.remove()
    for number, name in enumerate(names):
        block, column = divmod(number, per_row)
        grid[2 * block, column].set_title(stacked(name))
        for row, when in enumerate(TIMES):
            axes = grid[2 * block + row, column]
            here = [table[(table.network == name) & (table.when == when)] for table in (fields, maps)]
            image = _map(axes, here[0].iloc[0], here[1])
            if not column:
                axes.set_ylabel(TIMES[when])
    bar = figure.colorbar(image, ax=figure.axes, aspect=30, pad=0.02, shrink=0.7)
    bar.set_label("mean squared gradient / its peak")
    return figure


def _map(axes: Axes, field: pd.Series, pixels: pd.DataFrame) -> AxesImage:
    values = pixels.pivot(index="row", columns="column", values="value").to_numpy(float)
    image = axes.imshow(values / values.max(), cmap=SEQUENTIAL, vmin=0, vmax=1, interpolation="nearest")
    corner = field.start - 0.5
    axes.add_patch(Rectangle((corner, corner), field.field, field.field, **FRAME))
    axes.add_patch(Ellipse((field.column, field.row), 4 * field.sigma_column, 4 * field.sigma_row, **ELLIPSE))
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    sides = f"field {field.field}, image {len(values)}"
    axes.set_xlabel(f"{sides}\n\u03c3 {field.sigma:.1f}, share {100 * field.share:.0f}%")
    return image
