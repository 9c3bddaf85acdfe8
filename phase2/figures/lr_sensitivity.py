"""How much a training's outcome depends on its learning rate: test score by rate, a line a level."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import band, final_scores, keys, panels
from phase2.figures.style import blank, series, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.words.levels import crossed, label

CARD = FigureCard(
    ("ranking", "divergence", "score"),
    "Test {score} against the learning rate: mean with its 95% interval over seeds; a diverged run counts at "
    "chance. A ring marks each line's best rate, a cross a rate at which a seed diverged.",
    needs=("lr",),
)

PANEL = 1.55  # inches: height
PER_ROW = 3


@styled
def lr_sensitivity(*, ranking: pd.DataFrame, divergence: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """A line for each level of the first factor besides the rate, a panel for each combination of the others.

    The test score, with its interval over seeds. A ring marks a line's best rate; a cross at the foot, a rate at
    which a seed diverged.
    """
    told = Score.read(score)
    factors = factors_of(ranking, before="mean", without=["lr"])
    scores = final_scores(ranking, told).merge(divergence[[*factors, "lr", "diverged"]], on=[*factors, "lr"])
    scores = scores.assign(line=crossed(scores, factors[:1]), panel=crossed(scores, factors[1:]))
    lines, names = list(scores.line.cat.categories), list(scores.panel.cat.categories)
    per_row = min(len(names), PER_ROW)
    figure = blank(-(-len(names) // per_row) * PANEL)
    for name, axes in panels(figure, names, per_row).items():
        axes.grid()
        axes.set_xscale("log")
        for index, line in enumerate(lines):
            _line(axes, scores[(scores.panel == name) & (scores.line == line)].sort_values("lr"), index, len(lines))
        axes.set_xlabel("learning rate")
    figure.supylabel(told.on("test"), fontsize=7.5)
    if factors:
        figure.legend(handles=keys(lines), loc="outside right center", title=label(factors[0]))
    return figure


def _line(axes: Axes, scores: pd.DataFrame, index: int, lines: int) -> None:
    band(axes, scores.set_index("lr"), index)
    colour = series(index)["color"]
    best = scores.loc[[scores["rank"].idxmin()]] if len(scores) else scores
    axes.scatter(best.lr, best["mean"], s=60, facecolors="none", edgecolors=colour, linewidths=1.2, zorder=4)
    lost = scores[scores.diverged > 0]
    foot = 0.02 + 0.035 * (lines - 1 - index)  # of the axes' height: a row of crosses a line
    transform = axes.get_xaxis_transform()
    axes.scatter(lost.lr, [foot] * len(lost), marker="x", s=12, color=colour, transform=transform, linewidths=1)
