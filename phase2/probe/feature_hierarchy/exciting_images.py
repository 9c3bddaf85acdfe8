"""Images that most excite units of the first, the middle and the last layer: of the test images, and by ascent."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import stacked
from phase2.figures.style import FULL_WIDTH, blank, nothing_without, styled
from phase2.study.factors import factors_of
from phase2.words.levels import crossed

CARD = FigureCard(
    ("exciting",),
    "The test image that most excites a unit at the centre of the first, the middle and the last layer of maps, "
    "and one found by gradient ascent with pixels in the same range and no larger norm; below, the excitation in "
    "standard deviations (SD) over the test images; one seed.",
)

TALLEST, WIDEST = 8.5, 0.95  # inches: the figure, an image
MARGIN, LINES = 1.0, 0.45  # inches: left of the images, the two lines below each
KINDS = {"test": "test image", "ascent": "ascent"}


@styled
@nothing_without("exciting", "value")
def exciting_images(*, exciting: pd.DataFrame) -> Figure:
    """A row a network, a pair of images a layer; each image from its least value, black, to its largest, white. Below
    each is its excitation, in standard deviations over the test images.
    """
    factors = factors_of(exciting, before="seed")
    table = exciting.assign(network=crossed(exciting, factors))
    names = list(table.network.cat.categories)
    layers = {name: sorted(table.layer[table.network == name].unique()) for name in names}
    width = max(map(len, layers.values()))
    side = min((FULL_WIDTH - MARGIN) / (2.2 * width), (TALLEST - LINES) / len(names) - LINES, WIDEST)
    figure = blank(len(names) * (side + LINES) + LINES)
    grid = figure.subplots(len(names), 2 * width, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for row, name in zip(grid, names, strict=True):
        row[0].text(-0.1, 0.5, stacked(name), transform=row[0].transAxes, ha="right", va="center", fontweight="bold")
        for place, layer in enumerate(layers[name]):
            here = table[(table.network == name) & (table.layer == layer)]
            for axes, (kind, words) in zip(row[2 * place : 2 * place + 2], KINDS.items(), strict=True):
                _image(axes, here[here.kind == kind], f"layer {layer}: {words}")
    return figure


def _image(axes: Axes, rows: pd.DataFrame, title: str) -> None:
    shape = [int(rows[name].max()) + 1 for name in ("row", "column", "channel")]
    values = rows.sort_values(["row", "column", "channel"])["value"].to_numpy(float).reshape(shape)
    span = max(np.ptp(values), np.finfo(float).tiny)
    scaled = (values - values.min()) / span
    axes.imshow(scaled if shape[2] == 3 else scaled.mean(2), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_title(title, fontsize=7, fontweight="normal")
    axes.text(
        0.5, -0.06, f"{rows.excitation.iloc[0]:.1f} SD", transform=axes.transAxes, ha="center", va="top", fontsize=7
    )
