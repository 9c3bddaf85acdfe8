"""Learning curves of the levels of one factor, each with the other factors at their best for it."""

import pandas as pd
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.marks import (
    band,
    baseline_line,
    final_scores,
    keys,
    keys_of_baseline,
    over_seeds,
    plain_log,
    settled,
)
from phase2.figures.style import blank, nothing_without, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.words.levels import SEPARATOR, crossed

CARD = FigureCard(
    ("ranking", "cells", "curves", "baseline", "score"),
    "Training loss and validation {score} by epoch of each strategy at the setting that is best on validation: mean "
    "over the seeds still running with its 95% t interval (their range where they are fewer than five). Dashed grey: "
    "logistic regression on raw pixels, with an arrow in the legend where it is off the axis.",
)

PANEL, ROW = 1.7, 0.14  # inches: the height of the panels, and of a row of the legend


@styled
@nothing_without("curves", "loss")
def best_curves(
    *, ranking: pd.DataFrame, cells: pd.DataFrame, curves: pd.DataFrame, baseline: pd.DataFrame, score: pd.DataFrame
) -> Figure:
    """Training loss and validation score by epoch: mean over the seeds still running, with its 95% t interval.

    A line a level of the first factor that is not the rate; the legend says at which levels of the others it is best on
    validation.
    """
    told = Score.read(score)
    factors = sorted(factors_of(ranking, before="mean"), key=lambda factor: factor == "lr")
    scores = final_scores(ranking, told)
    scores = scores.assign(level=crossed(scores, factors[:1]), setting=crossed(scores, factors[1:]))
    best = scores.loc[scores.groupby("level", observed=True)["rank"].idxmin()].sort_values("level")
    chosen = curves[["id", "epoch", "split", "loss", told.metric]].merge(cells[["id", "seed", *factors]], on="id")
    chosen = chosen.merge(best[[*factors, "level"]], on=factors) if factors else chosen.assign(level=best.level.iloc[0])
    figure = blank(PANEL + ROW * -(-(len(best) + 1) // 3))
    shown = (("train", "loss", told.training_loss, 1), ("val", told.metric, told.on("validation"), told.scale))
    for axes, (split, measure, name, scale) in zip(figure.subplots(1, 2), shown, strict=True):
        of_split = chosen[chosen.split == split]
        of_split = of_split.assign(shown=scale * of_split[measure])
        for index, level in enumerate(best.level):
            band(axes, over_seeds(of_split[of_split.level == level], ["epoch"], "shown"), index, marks=6)
        if split == "val":
            settled(axes, of_split, "epoch", "shown", told.sign)
            baseline_line(axes, baseline, told)
        axes.set(xlabel="epoch", title=name)
        axes.grid()
        axes.xaxis.get_major_locator().set_params(integer=True)
    if len(chosen):
        plain_log(figure.axes[0])
    names = (SEPARATOR.join(filter(None, each)) for each in zip(best.level, best.setting, strict=True))
    handles = [*(keys(names) if factors else []), *keys_of_baseline(figure.axes[1], baseline, told)]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure
