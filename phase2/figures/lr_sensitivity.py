"""How much a training's outcome depends on its learning rate: validation score by rate, a line a level."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from phase2.card import FigureCard
from phase2.figures.marks import ROOM, band, baseline_line, final_scores, is_left, is_top, keys, panels
from phase2.figures.style import blank, series, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.words.levels import crossed, label

CARD = FigureCard(
    ("ranking", "baseline", "score"),
    "Validation {score} against the learning rate: mean of the seeds that finished with its 95% t interval (the range "
    "of fewer than five). A ring marks each line's best rate; ×2 at the worse end, a rate at which two seeds failed. "
    "Scores far below every line's best are off the axis. Dashed grey: logistic regression on raw pixels.",
    needs=("lr",),
)

PANEL = 1.75  # inches: height
PER_ROW = 3
BELOW = 12  # points: what is shown below the least of the best
LINE = 0.07  # of the axes' height: a line of counts


@styled
def lr_sensitivity(*, ranking: pd.DataFrame, baseline: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """A line for each level of the first factor besides the rate, a panel for each combination of the others.

    The validation score, with its interval over seeds. A ring marks a line's best rate; below all lines (above, where
    less is better), how many seeds failed at a rate.
    """
    told = Score.read(score)
    factors = factors_of(ranking, before="mean", without=["lr"])
    scores = final_scores(ranking, told)
    scores = scores.assign(line=crossed(scores, factors[:1]), panel=crossed(scores, factors[1:]))
    lines, names = list(scores.line.cat.categories), list(scores.panel.cat.categories)
    per_row = min(len(names), PER_ROW)
    figure = blank(-(-len(names) // per_row) * PANEL)
    grid = panels(figure, names, per_row)
    for name, axes in grid.items():
        axes.grid()
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(scores.lr.min() / ROOM, scores.lr.max() * ROOM)
        here = scores[scores.panel == name].sort_values("lr")
        for index, line in enumerate(lines):
            _line(axes, here[here.line == line], index)
        _count_failures(axes, here, lines, told.sign)
        axes.set_xlabel("learning rate")
    _show_the_best(axes, scores, told)
    _make_room(axes, LINE * scores[scores.failed > 0].line.nunique(), told.sign)
    for axes in grid.values():
        baseline_line(axes, baseline, told, named=is_top(axes) and is_left(axes))
    figure.supylabel(told.on("validation"))
    if factors:
        figure.legend(handles=keys(lines), loc="outside right center", title=label(factors[0]))
    return figure


def _line(axes: Axes, scores: pd.DataFrame, index: int) -> None:
    band(axes, scores.set_index("lr"), index)
    best = scores.loc[[scores["rank"].idxmin()]] if len(scores) else scores
    colour = series(index)["color"]
    axes.scatter(best.lr, best["mean"], s=60, facecolors="none", edgecolors=colour, linewidths=1.2, zorder=4)


def _count_failures(axes: Axes, scores: pd.DataFrame, lines: list[str], sign: int) -> None:
    """A row of counts for each line with failures, at the worse end of the axis."""
    lost = scores[scores.failed > 0]
    for row, line in enumerate(name for name in lines if (lost.line == name).any()):
        height = 0.01 + LINE * row
        look: dict[str, Any] = {"color": series(lines.index(line))["color"], "fontsize": 7, "ha": "center"}
        look["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 0.3}  # a line may leave the axis there
        for lr, failed in lost[lost.line == line][["lr", "failed"]].itertuples(index=False):
            place = (lr, height if sign > 0 else 1 - height)
            va = "bottom" if sign > 0 else "top"
            axes.text(*place, f"×{failed:g}", va=va, transform=axes.get_xaxis_transform(), **look)


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


def _make_room(axes: Axes, share: float, sign: int) -> None:
    """Leaves a share of the axes' height free at the worse end, without numbers that no score has there."""
    low, high = axes.get_ylim()
    room = share / (1 - share) * (high - low)
    ticks = [tick for tick in axes.get_yticks() if max(low, 0) <= tick <= high or (tick < 0 and low < 0)]
    axes.set_yticks(ticks)
    axes.set_ylim(low - room * (sign > 0), high + room * (sign < 0))
