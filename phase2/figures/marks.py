"""The two drawings that several figures share: a map of cells with numbers in it, and rows of means with intervals."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from phase2.figures.style import MUTED

ROW = 0.155  # inches: one row of labelled intervals


def panels(figure: Figure, names: list[str], per_row: int) -> dict[str, Axes]:
    """One titled axes a name, `per_row` in a row, axes shared; the slots left over in the last row stay empty."""
    rows = -(-len(names) // per_row)
    grid = figure.subplots(rows, per_row, squeeze=False, sharex=True, sharey=True).ravel()
    for spare in grid[len(names) :]:
        spare.remove()
    for axes, name in zip(grid, names, strict=False):
        axes.set_title(name)
    return dict(zip(names, grid, strict=False))


def cell_map(
    axes: Axes, values: pd.DataFrame, text: pd.DataFrame, norm: Normalize, colours: str
) -> AxesImage:
    """Draws `values` (rows, columns) as coloured cells with `text` in them; NaN stays blank. Columns are named on top."""
    image = axes.imshow(values.to_numpy(float), cmap=colours, norm=norm, aspect="auto")
    axes.set_xticks(range(values.shape[1]), values.columns, rotation=90)
    axes.set_yticks(range(values.shape[0]), values.index)
    axes.set_xticks(np.arange(values.shape[1] + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(values.shape[0] + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=0.8)
    axes.tick_params(
        which="both",
        length=0,
        bottom=False,
        labelbottom=False,
        labeltop=axes.get_subplotspec().is_first_row(),
    )
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(values.to_numpy(float)):
        if not np.isnan(value):
            fill = matplotlib.colormaps[colours](norm(value))
            box = {"facecolor": fill, "edgecolor": "none", "pad": 0.4}
            style = {
                "ha": "center",
                "va": "center",
                "fontsize": 7,
                "linespacing": 1.0,
                "color": contrast(fill),
                "bbox": box,
            }
            axes.text(column, row, text.iat[row, column], **style)
    return image


def contrast(background: tuple[float, ...]) -> str:
    """Black or white, whichever reads better on an RGB background (luminance of ITU-R BT.709)."""
    red, green, blue = background[:3]
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else "white"


def intervals(axes: Axes, rows: pd.DataFrame, colour: str, filled: np.ndarray | None = None) -> None:
    """Draws each row's `mean` as a dot and `low` to `high` as a line, the first row on top, labelled with its index."""
    y = np.arange(len(rows))
    axes.hlines(y, rows.low, rows.high, color=colour, linewidth=1.2)
    face = [colour if fill else "white" for fill in (np.ones(len(rows)) if filled is None else filled)]
    axes.scatter(rows["mean"], y, s=13, color=face, edgecolors=colour, linewidths=0.9, zorder=3)
    axes.set_yticks(y, rows.index)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.margins(x=0.08)
    axes.locator_params(axis="x", nbins=5)


def note(axes: Axes, text: str) -> None:
    """Says in the middle of empty axes why they are empty."""
    axes.text(0.5, 0.5, text, ha="center", va="center", color=MUTED, transform=axes.transAxes)


def in_percent(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns `mean`, `low` and `high` as percentages."""
    return rows[["mean", "low", "high"]] * 100
