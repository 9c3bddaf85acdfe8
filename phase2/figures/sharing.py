"""What sharing weights is worth: validation score of each model on images as they are and with pixels permuted."""

import pandas as pd
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import bars, baseline_line, final_scores, keys, keys_of_baseline, panels
from phase2.figures.style import blank, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.words.levels import crossed, label

CARD = FigureCard(
    ("ranking", "baseline", "score"),
    "Validation {score} of networks of equally many parameters, to within 1%, on images and on images whose pixels are "
    "permuted, the same way in all: mean with its 95% t interval over seeds (their range where they are fewer than "
    "five). Dashed grey: logistic regression on raw pixels, with an arrow in the legend where it is off the axis.",
    needs=("model", "pixels"),
)

PANEL = 1.75  # inches: height
PER_ROW = 3
SPREAD = 0.05  # of the way between two kinds of pixels: models stand side by side, so that intervals do not cover


@styled
def sharing(*, ranking: pd.DataFrame, baseline: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """A line for each model from one kind of pixels to the next, a panel for each combination of the other factors.

    The validation score, with its interval over seeds.
    """
    told = Score.read(score)
    others = factors_of(ranking, before="mean", without=["model", "pixels"])
    scores = final_scores(ranking, told)
    scores = scores.assign(
        line=crossed(scores, ["model"]), place=crossed(scores, ["pixels"]).cat.codes, panel=crossed(scores, others)
    )
    lines, kinds = list(scores.line.cat.categories), list(crossed(scores, ["pixels"]).cat.categories)
    names = list(scores.panel.cat.categories)
    per_row = min(len(names), PER_ROW)
    figure = blank(-(-len(names) // per_row) * PANEL)
    grid = panels(figure, names, per_row)
    for name, axes in grid.items():
        axes.grid(axis="y")
        for index, line in enumerate(lines):
            here = scores[(scores.panel == name) & (scores.line == line)].sort_values("place")
            place = here.place + SPREAD * (index - (len(lines) - 1) / 2)
            bars(axes, here.set_index(place), index, capsize=0, elinewidth=1.2)
        axes.set_xticks(range(len(kinds)), kinds)
        axes.set_xlim(-0.35, len(kinds) - 0.65)
        axes.tick_params(labelbottom=True)  # also where nothing is below
    for axes in grid.values():
        baseline_line(axes, baseline, told)
    figure.supxlabel(label("pixels"))
    figure.supylabel(told.on("validation"))
    handles = [*keys(lines), *keys_of_baseline(figure.axes[0], baseline, told, between="\n")]
    figure.legend(handles=handles, loc="outside right center", title=label("model"))
    return figure
