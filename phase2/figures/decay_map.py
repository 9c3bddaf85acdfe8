"""Whether learning rate and weight decay are chosen apart: test score over both, a map an optimizer."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from phase2.card import FigureCard
from phase2.figures.marks import brighter, cell_map, final_scores, panels, stretched, stretched_bar
from phase2.figures.style import PALETTE, blank, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.words.levels import crossed, label

CARD = FigureCard(
    ("ranking", "score"),
    "Test {score} by learning rate and weight decay, mean over seeds with diverged runs at chance. "
    "The line joins the best decay of each rate; a frame marks the best of all.",
    needs=("lr", "weight_decay"),
)

CELL = 0.27  # inches: height of a row of numbers
LEAST = 1.1  # inches: of a map, for the colour bar's name
PER_ROW = 2
BEST = PALETTE[1]


@styled
def decay_map(*, ranking: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """Weight decay down, learning rate across, a panel for each combination of the other factors, one colour scale.

    A cell shows the mean test score in its unit. The line joins the best decay of each rate; the frame is the best
    cell of a panel.
    """
    told = Score.read(score)
    factors = factors_of(ranking, before="mean", without=["lr", "weight_decay"])
    scores = final_scores(ranking, told)
    scores = scores.assign(panel=crossed(scores, factors))
    names = list(scores.panel.cat.categories)
    per_row = min(len(names), PER_ROW)
    figure = blank(-(-len(names) // per_row) * (max(LEAST, scores.weight_decay.nunique() * CELL) + 0.75) + 0.2)
    norm = stretched(scores["mean"], told)
    grid = panels(figure, names, per_row)
    for name, axes in grid.items():
        here = scores[scores.panel == name]
        values, ranks = (here.pivot(index="weight_decay", columns="lr", values=kind) for kind in ("mean", "rank"))
        text = values.map(told.number)
        values.index, values.columns = values.index.map(label), values.columns.map(label)
        image = cell_map(axes, values, text, norm, brighter(told))
        axes.tick_params(labelbottom=True, labeltop=False)
        best = ranks.to_numpy().argmin(axis=0)
        axes.plot(range(values.shape[1]), best, color=BEST, marker="", linewidth=1.6)
        column = int(ranks.min(axis=0).to_numpy().argmin())
        frame = Rectangle((column - 0.5, best[column] - 0.5), 1, 1, fill=False, edgecolor=BEST, linewidth=2.2, zorder=5)
        axes.add_patch(frame)
    figure.supxlabel("learning rate", fontsize=7.5)
    figure.supylabel("weight decay", fontsize=7.5)
    stretched_bar(figure, image, norm, told, list(grid.values()), aspect=25)
    return figure
