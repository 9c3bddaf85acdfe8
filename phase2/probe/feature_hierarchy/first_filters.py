"""Filters of the first layer of trained networks, and the maps that they make of one image."""

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
    ("filters", "maps"),
    "Filters of the first layer after training, one seed (at most sixteen), each scaled to its largest weight "
    "(purple and orange: the two signs); below them the first test image and the maps that they make of it, after "
    "the activation.",
)

TALLEST = 8.5  # inches
MARGIN = 0.75  # inches: left of the image, for the names of the rows
LINE = 0.14  # inches: a line of a title
GAP = 0.08  # between tiles, in their width
SIGNED = "PuOr"  # both signs, for every eye: purple is positive, as large as orange negative
IMAGE = "Greys_r"  # as a screen shows it
MAP = "Greys"  # ink is response


@styled
@nothing_without("filters", "value")
def first_filters(*, filters: pd.DataFrame, maps: pd.DataFrame) -> Figure:
    """A block a network: the image and its maps below, the filters that made them above.

    Grey weights of one sign are purple, of the other orange, white is 0; weights of three channels are colours around
    grey. A filter and a map each are scaled to their largest entry.
    """
    factors = factors_of(filters, before="seed")
    filters, maps = (table.assign(network=crossed(table, factors)) for table in (filters, maps))
    blocks = list(filters.network.cat.categories)
    tiles = 1 + maps["filter"].max()
    title = LINE * max(1, len(factors))
    side = min((FULL_WIDTH - MARGIN) / (tiles * (1 + GAP)), (TALLEST / len(blocks) - title) / 2.3)
    figure = blank(len(blocks) * (2.3 * side + title))
    column = figure.subplots(len(blocks), 1, squeeze=False)[:, 0]
    for axes, name in zip(column, blocks, strict=True):
        _block(axes, filters[filters.network == name], maps[maps.network == name], tiles)
        axes.set_title(stacked(name), loc="left")
    return figure


def _block(axes: Axes, filters: pd.DataFrame, maps: pd.DataFrame, tiles: int) -> None:
    shown = sorted(maps["filter"].unique())
    for number in shown:
        _tile(axes, number, 1, _response(_array(maps, number), MAP if number else IMAGE))
        if number:
            _tile(axes, number, 0, _weights(_array(filters, number)))
    axes.set(xlim=(0, tiles * (1 + GAP)), ylim=(2 + 2 * GAP, 0), aspect="equal", xticks=[])
    axes.set_yticks([0.5, 1.5 + GAP], ["filters", "maps"])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _array(table: pd.DataFrame, number: int) -> np.ndarray:
    """(rows, columns, channels) of a filter or a map."""
    rows = table[table["filter"] == number]
    shape = [int(rows[name].max()) + 1 for name in ("row", "column", "channel")]
    return rows.sort_values(["row", "column", "channel"])["value"].to_numpy(float).reshape(shape)


def _weights(values: np.ndarray) -> tuple[np.ndarray, dict]:
    """What `imshow` takes: signed values scaled to the largest, or colours around grey."""
    scaled = values / max(np.abs(values).max(), np.finfo(float).tiny)
    if values.shape[2] == 3:
        return (scaled + 1) / 2, {}
    return scaled.mean(2), {"cmap": SIGNED, "vmin": -1, "vmax": 1}


def _response(values: np.ndarray, cmap: str) -> tuple[np.ndarray, dict]:
    """What `imshow` takes: values from the least, or 0 if there is no less, to the largest; colours stay colours."""
    low, high = min(values.min(), 0), max(values.max(), np.finfo(float).tiny)
    if values.shape[2] == 3:
        return (values - low) / (high - low), {}
    return values.mean(2), {"cmap": cmap, "vmin": low, "vmax": high}


def _tile(axes: Axes, column: int, row: int, drawn: tuple[np.ndarray, dict]) -> None:
    left, top = column * (1 + GAP), row * (1 + GAP)
    image, look = drawn
    axes.imshow(image, extent=(left, left + 1, top + 1, top), interpolation="nearest", **look)
    axes.plot([left, left + 1, left + 1, left, left], [top, top, top + 1, top + 1, top], color="#BBBBBB", linewidth=0.4)
