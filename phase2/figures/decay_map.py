"""Whether learning rate and weight decay are chosen apart: validation score over both, a map an optimizer."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from phase2.card import FigureCard
from phase2.figures.marks import brighter, cell_map, colour_bar, final_scores, linear, mark_failures, panels
from phase2.figures.style import PALETTE, blank, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.words.levels import crossed, label

CARD = FigureCard(
    ("ranking", "score"),
    "Validation {score} by learning rate and weight decay, mean over the seeds that finished; where seeds failed, a "
    "cell is hatched, and grey with a cross if all did. Framed: the best of each map; a dot, where one can be told: "
    "may be the best of all, by comparisons with the best at 95%. Values beyond the scale, where its bar is pointed, "
    "have its last colour.",
    needs=("lr", "weight_decay"),
)

CELL = 0.27  # inches: height of a row of numbers
LEAST = 1.1  # inches: of a map, for the colour bar's name
PER_ROW = 2
SHOWN = ("mean", "n", "failed", "rank", "may_be_best")
BEST = PALETTE[1]
MAY_BE_BEST = " •"
FRAME: dict[str, Any] = {"fill": False, "edgecolor": BEST, "linewidth": 2.2}


@styled
def decay_map(*, ranking: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """Weight decay down, learning rate across, a panel for each combination of the other factors, one colour scale.

    A cell shows the mean validation score in its unit. A frame is the best cell of a panel; a dot marks those
    that comparisons with the best do not rule out.
    """
    told = Score.read(score)
    factors = factors_of(ranking, before="mean", without=["lr", "weight_decay"])
    scores = final_scores(ranking, told)
    scores = scores.assign(panel=crossed(scores, factors))
    names = list(scores.panel.cat.categories)
    per_row = min(len(names), PER_ROW)
    figure = blank(-(-len(names) // per_row) * (max(LEAST, scores.weight_decay.nunique() * CELL) + 0.75) + 0.4)
    norm = linear(scores["mean"], told)
    grid = panels(figure, names, per_row)
    for name, axes in grid.items():
        here = scores[scores.panel == name]
        maps = {kind: here.pivot(index="weight_decay", columns="lr", values=kind) for kind in SHOWN}
        values = maps["mean"].rename(index=label, columns=label)
        text = values.map(told.number) + np.where(maps["may_be_best"].eq(True), MAY_BE_BEST, "")
        image = cell_map(axes, values, text, norm, brighter(told))
        axes.tick_params(labelbottom=True, labeltop=False)
        axes.set_xlabel("learning rate")
        mark_failures(axes, maps["n"].to_numpy(), (maps["n"] + maps["failed"]).to_numpy())
        best = np.unravel_index(np.nanargmin(maps["rank"]), values.shape)
        axes.add_patch(Rectangle((best[1] - 0.5, best[0] - 0.5), 1, 1, zorder=5, **FRAME))
    figure.supylabel("weight decay")
    colour_bar(figure, image, scores["mean"], told, list(grid.values()))
    handles = [Patch(label="best of the map", **FRAME)]
    if scores.may_be_best.eq(True).any():
        handles.append(Patch(label=f"{MAY_BE_BEST.strip()}  may be the best of all", linewidth=0, fill=False))
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure
