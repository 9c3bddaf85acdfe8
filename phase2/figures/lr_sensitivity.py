"""How much a training's outcome depends on its learning rate: validation score by rate, a line a level."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from phase2.card import FigureCard
from phase2.figures.marks import GREY, ROOM, band, baseline_line, final_scores, is_left, keys, keys_of_baseline, panels
from phase2.figures.style import FULL_WIDTH, blank, series, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.words.levels import crossed, label

CARD = FigureCard(
    ("ranking", "baseline", "score"),
    "Validation {score} against the learning rate: mean of the seeds that finished with its 95% t interval (their "
    "range where they are fewer than five). A ring marks each line's best rate. Under the axis, where seeds failed: "
    "how many at that rate (×2: two), in the line's colour. Scores far from every line's best may be off the axis. "
    "Dashed grey: logistic regression on raw pixels, with an arrow in the legend where it is off the axis.",
    needs=("lr",),
)

PANEL = 1.75  # inches: height
PER_ROW = 3
BESIDE = 1.6  # inches: the legend, and the scores
BELOW = 12  # points: what is shown below the least of the best
COUNT, PAD = 9, 3.5  # typographic points: a line of counts under the axis, and what is kept free over and under them
LETTER, APART = 0.06, 0.06  # inches: a letter of a tick's label, and between two labels


@styled
def lr_sensitivity(*, ranking: pd.DataFrame, baseline: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """A line for each level of the first factor besides the rate, a panel for each combination of the others.

    The validation score, with its interval over seeds. A ring marks a line's best rate; under the axis, how many seeds
    failed at a rate.
    """
    told = Score.read(score)
    factors = factors_of(ranking, before="mean", without=["lr"])
    scores = final_scores(ranking, told)
    scores = scores.assign(line=crossed(scores, factors[:1]), panel=crossed(scores, factors[1:]))
    lines, names = list(scores.line.cat.categories), list(scores.panel.cat.categories)
    losing = [line for line in lines if (scores.failed[scores.line == line] > 0).any()]
    per_row = min(len(names), PER_ROW)
    figure = blank(-(-len(names) // per_row) * (PANEL + len(losing) * COUNT / 72))
    grid = panels(figure, names, per_row)
    for name, axes in grid.items():
        axes.grid()
        _rates_across(axes, sorted(scores.lr.unique()), (FULL_WIDTH - BESIDE) / per_row)
        here = scores[scores.panel == name].sort_values("lr")
        for index, line in enumerate(lines):
            _line(axes, here[here.line == line], index)
        _count_failures(axes, here, lines, losing)
        axes.set_xlabel("learning rate")
    _show_the_best(axes, scores, told)
    for axes in grid.values():
        baseline_line(axes, baseline, told)
    figure.supylabel(told.on("validation"))
    handles = [*(keys(lines) if factors else []), *keys_of_baseline(axes, baseline, told, between="\n")]
    if handles:
        title = label(factors[0]) if factors else None
        figure.legend(handles=handles, loc="outside right center", title=title)
    return figure


def _rates_across(axes: Axes, rates: list[float], width: float) -> None:
    """A logarithmic x axis, so many inches wide, with a tick at each rate; labels that would touch are left out."""
    axes.set_xscale("log")
    axes.set_xlim(rates[0] / ROOM, rates[-1] * ROOM)
    axes.minorticks_off()
    scale = width / np.log(rates[-1] / rates[0] * ROOM**2)
    names, end = [], -np.inf
    for rate in rates:
        name, place = f"{rate:g}", scale * np.log(rate)
        half = len(name) * LETTER / 2
        names.append(name if place - half >= end + APART else "")
        end = place + half if names[-1] else end
    axes.set_xticks(rates, names)


def _line(axes: Axes, scores: pd.DataFrame, index: int) -> None:
    band(axes, scores.set_index("lr"), index)
    best = scores.loc[[scores["rank"].idxmin()]] if len(scores) else scores
    colour = series(index)["color"]
    axes.scatter(best.lr, best["mean"], s=60, facecolors="none", edgecolors=colour, linewidths=1.2, zorder=4)


def _count_failures(axes: Axes, scores: pd.DataFrame, lines: list[str], losing: list[str]) -> None:
    """Rows of counts between the axis and its numbers, one for each line with failures anywhere."""
    for row, line in enumerate(losing):
        lost = scores[(scores.line == line) & (scores.failed > 0)]
        down = ScaledTranslation(0, -(PAD + COUNT * row) / 72, axes.figure.dpi_scale_trans)
        look: dict[str, Any] = {"va": "top", "fontsize": 8}
        centred = look | {"ha": "center", "transform": axes.get_xaxis_transform() + down}
        for lr, failed in lost[["lr", "failed"]].itertuples(index=False):
            axes.text(lr, 0, f"×{failed:g}", color=series(lines.index(line))["color"], **centred)
        if row == 0 and is_left(axes):
            axes.text(0, 0, "failed ", **look | {"ha": "right", "color": GREY, "transform": axes.transAxes + down})
    axes.tick_params(axis="x", pad=PAD + COUNT * len(losing))


def _show_the_best(axes: Axes, scores: pd.DataFrame, score: Score) -> None:
    """Limits between which every line's best is, with BELOW points of room at the worse end, or half their spread."""
    worth = (score.sign * scores["mean"]).dropna()
    bests = scores.loc[worth.groupby([scores.panel, scores.line], observed=True).idxmax().dropna()]
    best, least = score.sign * bests["mean"], worth.min()
    if len(best):
        room = max(BELOW if score.is_share else 0, 0.5 * (best.max() - best.min()))
        ends = max(best.min() - room, least), (score.sign * bests["high" if score.sign > 0 else "low"]).max()
        low, high = sorted(score.sign * end for end in ends)
        if low < high:
            axes.set_ylim(low - 0.04 * (high - low), high + 0.04 * (high - low))
