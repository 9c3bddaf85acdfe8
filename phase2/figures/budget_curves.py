"""What a longer training buys: final validation score against the budget, a line a level."""

import pandas as pd
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import bars, baseline_line, final_scores, keys, keys_of_baseline, over_seeds, sizes_across
from phase2.figures.style import blank, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score, head
from phase2.words.levels import crossed, label

CARD = FigureCard(
    ("ranking", "cells", "baseline", "score"),
    "Validation {score} at the end of training against the budget in epochs, every budget a training of its own: mean "
    "with its 95% t interval over seeds (their range where they are fewer than five). Right, how far each is behind "
    "the best of its budget, seed by seed. Dashed grey: logistic regression on raw pixels, with an arrow in the "
    "legend where it is off the axis.",
    needs=("epochs",),
)

HEIGHT = 2.0  # inches
SPREAD = 0.025  # of a budget: lines stand side by side, so that their intervals do not cover each other


@styled
def budget_curves(*, ranking: pd.DataFrame, cells: pd.DataFrame, baseline: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """Left, the validation score by epochs; right, how far it is behind the best combination of the same budget.

    A line for each level of the first factor besides the epochs, the others at their best for it and the budget.
    """
    told = Score.read(score)
    factors = factors_of(ranking, before="mean", without=["epochs"])
    scores = final_scores(ranking, told)
    scores = scores.assign(line=crossed(scores, factors[:1]))
    scores = scores.loc[scores.groupby(["line", "epochs"], observed=True)["rank"].idxmin()]
    runs = cells.merge(scores[[*factors, "epochs", "line", "rank"]], on=[*factors, "epochs"])
    runs = runs.assign(behind=_behind_best(runs, told))
    lines, budgets = list(scores.line.cat.categories), sorted(scores.epochs.unique())
    figure = blank(HEIGHT)
    whole, behind = figure.subplots(1, 2, sharex=True)
    for index, name in enumerate(lines):
        apart = 1 + SPREAD * (index - (len(lines) - 1) / 2)
        here = scores[scores.line == name].set_index("epochs").sort_index()
        distances = over_seeds(runs[runs.line == name], ["epochs"], "behind").reindex(here.index)
        for axes, rows in ((whole, here), (behind, distances)):
            bars(axes, rows.set_axis(rows.index * apart), index, capsize=0)
    for axes in (whole, behind):
        sizes_across(axes, budgets)
        axes.grid()
        axes.set_xlabel("budget (epochs)")
    baseline_line(whole, baseline, told)
    whole.set_title(told.on("validation"))
    behind.set_title(head("behind the best", told.points))
    handles = [*(keys(lines) if factors else []), *keys_of_baseline(whole, baseline, told, between="\n")]
    if handles:
        title = label(factors[0]) if factors else None
        figure.legend(handles=handles, loc="outside right center", title=title)
    return figure


def _behind_best(runs: pd.DataFrame, told: Score) -> pd.Series:
    """By how much each run is worse than that of the same seed and budget that is of the best combination there."""
    worth = told.sign * told.scale * runs[told.column].where(runs.status == "ok")
    is_best = runs["rank"] == runs.groupby("epochs")["rank"].transform("min")
    best = worth[is_best].groupby([runs.epochs[is_best], runs.seed[is_best]]).first()
    return best.reindex(pd.MultiIndex.from_frame(runs[["epochs", "seed"]])).to_numpy() - worth
