"""How strongly the layers of trained networks respond, by depth and architecture. He et al. 2016a, figure 7."""

from itertools import product
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from phase2.card import FigureCard
from phase2.figures.marks import band, keys, ranges
from phase2.figures.style import LINES, blank, nothing_without, styled
from phase2.study.factors import factors_of
from phase2.words.levels import crossed

CARD = FigureCard(
    ("responses",),
    "Standard deviation of each layer's response after its normalization, before the nonlinearity and the "
    "addition, in the trained networks: by layer, and sorted; mean over seeds with their range.",
)

HEIGHT = 2.5  # inches
MARKS = 8  # a line, about


@styled
@nothing_without("responses", "std")
def layer_responses(*, responses: pd.DataFrame) -> Figure:
    """Standard deviation of each layer's response after training: left by layer, right the largest first.

    A line a combination of the axes, its dashes the architecture's, its colour and marker those of all other axes: mean
    over seeds, with their range shaded.
    """
    others = factors_of(responses, before="when", without=["model"])
    trained = responses[responses.when == "end"].assign(
        model=lambda table: crossed(table, ["model"]), rest=lambda table: crossed(table, others)
    )
    network = trained.groupby(["model", "rest", "seed"], observed=True)
    ranked = trained.assign(layer=network["std"].rank(method="first", ascending=False))
    figure = blank(HEIGHT)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, table, where in zip(panels, (trained, ranked), ("layer", "layers, largest first"), strict=True):
        _panel(axes, table)
        axes.set_xlabel(where)
    panels[0].set_ylabel("std of the response")
    panels[0].set_ylim(bottom=0)
    handles = keys(_names(trained.rest), linestyle="")
    dashes = _dashes(trained)
    handles += [Line2D([], [], color="black", label=model, linestyle=dash) for model, dash in dashes.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 7), handlelength=2.8)
    return figure


def _names(levels: pd.Series) -> list[str]:
    return list(levels.cat.categories)


def _dashes(table: pd.DataFrame) -> dict[str, Any]:
    """The dashes of each architecture: none for the last, which is the residual one."""
    return dict(zip(reversed(_names(table.model)), LINES, strict=False))


def _panel(axes: Axes, table: pd.DataFrame) -> None:
    for (model, dash), (index, rest) in product(_dashes(table).items(), enumerate(_names(table.rest))):
        by_layer = table[(table.model == model) & (table.rest == rest)].groupby("layer")["std"]
        band(axes, ranges(by_layer), index, MARKS, linestyle=dash)
    axes.grid()
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
