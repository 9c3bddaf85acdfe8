"""What a longer training buys: final test score against the budget, a line a level."""

import pandas as pd
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import bars, final_scores, keys, sizes_across
from phase2.figures.style import blank, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score, head
from phase2.words.levels import crossed, label

CARD = FigureCard(
    ("ranking", "score"),
    "Test {score} at the end of training against the budget in epochs, every budget a training of its own: mean "
    "with its 95% interval over seeds. Right, what each is behind the best of its budget.",
    needs=("epochs",),
)

HEIGHT = 1.6  # inches
SPREAD = 0.025  # of a budget: lines stand side by side, so that their intervals do not cover each other


@styled
def budget_curves(*, ranking: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """Left, the test score by epochs; right, how far it is behind the best combination of the same budget.

    A line for each level of the first factor besides the epochs, the others at their best for it and the budget.
    """
    told = Score.read(score)
    factors = factors_of(ranking, before="mean", without=["epochs"])
    scores = final_scores(ranking, told)
    scores = scores.assign(line=crossed(scores, factors[:1]))
    scores = scores.loc[scores.groupby(["line", "epochs"], observed=True)["rank"].idxmin()]
    lines, budgets = list(scores.line.cat.categories), sorted(scores.epochs.unique())
    best = scores.loc[scores.groupby("epochs")["rank"].idxmin()].set_index("epochs")["mean"]
    figure = blank(HEIGHT)
    whole, behind = figure.subplots(1, 2, sharex=True)
    for index, name in enumerate(lines):
        here = scores[scores.line == name].sort_values("epochs")
        x = here.epochs * (1 + SPREAD * (index - (len(lines) - 1) / 2))
        for axes, base in ((whole, 0 * here.epochs), (behind, here.epochs.map(best))):
            rows = here[["mean", "low", "high"]].sub(base, axis="index")
            bars(axes, rows.set_axis(x), index, capsize=0)
    for axes in (whole, behind):
        sizes_across(axes, budgets)
        axes.grid()
        axes.set_xlabel("budget (epochs)")
    whole.set_title(told.on("test"))
    behind.set_title(head("behind the best", told.points))
    if factors:
        figure.legend(handles=keys(lines), loc="outside right center", title=label(factors[0]))
    return figure
