"""The one look of all figures: fonts that read in print, colours for every eye, files that repeat."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure

from phase2.files import atomic_path

FULL_WIDTH = 6.75  # inches: the width of the report's text, 486 bp
DPI = 200
NOTHING = "nothing finite was measured: every run diverged"

# Okabe and Ito (2008), without their yellow, because thin yellow lines vanish on white paper; last, one of Tol's.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#882255")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)), (0, (4, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "h", "<")
SEQUENTIAL = "cividis"
COUNTS = "Greys"
MUTED = "#8A8A8A"

RC = {
    "font.family": "STIXGeneral",  # the report's Times; ships with matplotlib, so every machine draws the same glyphs
    "mathtext.fontset": "stix",
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.labelsize": 8,
    "figure.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.title_fontsize": 7.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "axes.grid": False,
    "grid.linewidth": 0.4,
    "grid.color": "#DDDDDD",
    "axes.axisbelow": True,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "hatch.linewidth": 0.5,
    "pdf.fonttype": 42,  # TrueType: text in the PDF stays text
    "savefig.dpi": DPI,
    "figure.dpi": DPI,
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
}

# As a decorator: the function draws in this style whatever the user's matplotlibrc says, and leaves no trace.
styled = matplotlib.style.context(RC, after_reset=True)


def blank(height: float) -> Figure:
    """An empty figure as wide as the text and `height` inches high; pyplot never hears of it."""
    return Figure(figsize=(FULL_WIDTH, height), layout="constrained")


def sentence(text: str) -> Figure:
    """A figure that says why there is nothing to draw."""
    figure = blank(1.0)
    figure.text(0.5, 0.5, text, ha="center", va="center")
    return figure


def nothing_without(table: str, *columns: str) -> Callable[[Callable[..., Figure]], Callable[..., Figure]]:
    """As a decorator: the figure is a sentence where the table has not one finite number in these columns."""

    def decorate(draw: Callable[..., Figure]) -> Callable[..., Figure]:
        @wraps(draw)
        def drawn(**tables: Any) -> Figure:
            measured = tables[table][list(columns)].to_numpy(float)
            return draw(**tables) if np.isfinite(measured).any() else sentence(NOTHING)

        return drawn

    return decorate


def series(index: int) -> dict[str, Any]:
    """Colour, line style and marker of a series by its number; the first eight share none of the three."""
    turn, kind = divmod(index, len(PALETTE))
    shifted = (kind + turn) % len(PALETTE)  # a colour comes back with another line and another marker
    return {"color": PALETTE[kind], "linestyle": LINES[shifted], "marker": MARKERS[shifted]}


@styled
def save(figure: Figure, path: Path) -> list[Path]:
    """Writes `path`.pdf and `path`.png atomically; returns both. The same figure has the same bytes."""
    written = []
    for suffix, metadata in ((".pdf", {"CreationDate": None}), (".png", None)):
        target = Path(path).with_name(Path(path).name + suffix)
        with atomic_path(target) as temporary:
            figure.savefig(temporary, format=suffix[1:], metadata=metadata)
        written.append(target)
    return written
