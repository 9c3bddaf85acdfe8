"""What figures share: maps of cells with numbers in them, means with bands or bars, rows of intervals, legends."""

from collections.abc import Iterable
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import LogLocator, NullLocator
from pandas.core.groupby import SeriesGroupBy

from phase2.figures.style import MUTED, SEQUENTIAL, series
from phase2.stats.interval import over_seeds as known_over_seeds
from phase2.study.score import Score
from phase2.words.levels import SEPARATOR

ROW = 0.155  # inches: one row of labelled intervals
SHORT = 6  # letters of a column's name that stand upright above it
ROOM = 1.4  # ratio: what is kept free at the ends of a scale of sizes
SHADE = 0.15  # of a band around a line
LETTER = 0.078  # inches: a letter of a bold title
GREY = "#666666"  # of what is said beside the data
LINEAR = "logistic regression"
BASELINE: dict[str, Any] = {"color": MUTED, "linewidth": 0.8, "linestyle": (0, (5, 3))}
SOME_FAILED: dict[str, Any] = {"facecolor": "none", "edgecolor": GREY, "hatch": "/////"}
ALL_FAILED: dict[str, Any] = {"facecolor": "#D0D0D0", "edgecolor": "white"}


def stacked(combination: str) -> str:
    """A panel's title: the levels of a combination below each other."""
    return combination.replace(SEPARATOR, "\n")


def title_width(names: list[str]) -> float:
    """Inches that the widest of the panels' titles needs."""
    return max(len(line) for name in names for line in stacked(name).split("\n")) * LETTER


def panels(figure: Figure, names: list[str], per_row: int) -> dict[str, Axes]:
    """One titled axes a name, `per_row` in a row, all on one scale; slots left over stay empty."""
    rows = -(-len(names) // per_row)
    grid = figure.subplots(rows, per_row, squeeze=False, sharex=True, sharey=True).ravel()
    for spare in grid[len(names) :]:
        spare.remove()
    for axes, name in zip(grid, names, strict=False):
        axes.set_title(stacked(name))
    return dict(zip(names, grid, strict=False))


def is_top(axes: Axes) -> bool:
    """Whether nothing is above these axes in their grid."""
    place = axes.get_subplotspec()
    return place is not None and place.is_first_row()


def is_left(axes: Axes) -> bool:
    """Whether nothing is left of these axes in their grid."""
    place = axes.get_subplotspec()
    return place is not None and place.is_first_col()


def cell_map(axes: Axes, values: pd.DataFrame, text: pd.DataFrame, norm: Normalize, colours: str) -> AxesImage:
    """Draws `values` (rows, columns) as coloured cells with `text` in them; NaN is blank.

    The columns are named on top of the uppermost axes only, so that panels below each other share the names.
    """
    image = axes.imshow(values.to_numpy(float), cmap=colours, norm=norm, aspect="auto")
    rotation = 90 if max(map(len, values.columns), default=0) > SHORT else 0
    axes.set_xticks(range(values.shape[1]), values.columns, rotation=rotation)
    axes.set_yticks(range(values.shape[0]), values.index)
    axes.set_xticks(np.arange(values.shape[1] + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(values.shape[0] + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=0.8)
    axes.tick_params(which="both", length=0, labelbottom=False, labeltop=is_top(axes))
    axes.spines[:].set_visible(False)
    look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 7.5, "linespacing": 1.0}
    for (row, column), value in np.ndenumerate(values.to_numpy(float)):
        if not np.isnan(value):
            fill = matplotlib.colormaps[colours](norm(value))
            box = {"facecolor": fill, "edgecolor": "none", "pad": 0.4}  # keeps hatches off the digits
            axes.text(column, row, str(text.iat[row, column]), color=contrast(fill), bbox=box, **look)
    return image


def linear(scores: pd.Series, score: Score) -> Normalize:
    """A linear scale of colours from the best score to the worst that is no outlier (Tukey's fence, 1.5 times the
    middle half below it): a few failures do not take the colours from all others.
    """
    worth = score.sign * scores.dropna()
    if worth.empty:
        return Normalize(0, 1)
    quarter, three = worth.quantile([0.25, 0.75])
    worst, best = worth[worth >= quarter - 1.5 * (three - quarter)].min(), worth.max()
    low, high = sorted((score.sign * worst, score.sign * best))
    return Normalize(low if low < high else high - 1, high)


def brighter(score: Score) -> str:
    """The colours in which better scores are brighter."""
    return SEQUENTIAL if score.sign > 0 else f"{SEQUENTIAL}_r"


def colour_bar(figure: Figure, image: AxesImage, shown: pd.Series, score: Score, beside: list[Axes]) -> None:
    """The colour bar of validation scores, pointed where some of those `shown` are worse than its end."""
    low, high = image.norm.vmin, image.norm.vmax
    extend = "min" if (shown < low).any() else "max" if (shown > high).any() else "neither"
    bar = figure.colorbar(image, ax=beside, label=score.on("validation"), aspect=30, pad=0.015, extend=extend)
    bar.ax.locator_params(nbins=6)


def mark_failures(axes: Axes, finished: np.ndarray, run: np.ndarray) -> None:
    """Hatches the cells of a map, (rows, columns), in which some of the seeds that were `run` did not finish; grey with
    a cross where none did.
    """
    for y, x in np.argwhere(finished < run):
        corner = (x - 0.5, y - 0.5)
        if finished[y, x]:
            axes.add_patch(Rectangle(corner, 1, 1, linewidth=0, **SOME_FAILED))
        else:
            axes.add_patch(Rectangle(corner, 1, 1, linewidth=0.8, **ALL_FAILED))
            axes.scatter(x, y, marker="x", s=22, color="black", linewidths=1)


def keys_of_failures(finished: np.ndarray | pd.Series, run: np.ndarray | pd.Series) -> list[Patch]:
    """What a legend shows of the marks of `mark_failures`."""
    some, none = ((finished < run) & (finished > 0)).any(), ((finished < run) & (finished == 0)).any()
    handles = [Patch(label="some seeds failed (mean of the n others)", **SOME_FAILED)] if some else []
    return [*handles, Patch(label="× all seeds failed", **ALL_FAILED)] if none else handles


def contrast(background: tuple[float, ...]) -> str:
    """Black or white, whichever reads better on an RGB background (luminance of ITU-R BT.709)."""
    red, green, blue = background[:3]
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else "white"


def intervals(axes: Axes, rows: pd.DataFrame, colour: str, filled: np.ndarray | None = None) -> None:
    """Draws each row's `mean` as a dot and `low` to `high` as a line, by its index, from the top."""
    y = np.arange(len(rows))
    axes.hlines(y, rows.low, rows.high, color=colour, linewidth=1.2)
    face = [colour if fill else "white" for fill in (np.ones(len(rows)) if filled is None else filled)]
    axes.scatter(rows["mean"], y, s=13, color=face, edgecolors=colour, linewidths=0.9, zorder=3)
    axes.set_yticks(y, rows.index)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.margins(x=0.08)
    axes.locator_params(axis="x", nbins=4)  # more, and long labels such as 10.25 touch


def band(axes: Axes, rows: pd.DataFrame, index: int, marks: int | None = None, **look: Any) -> None:
    """Draws each row's `mean` by its index as the line of a series, with `low` to `high`, if it has them, shaded in its
    colour. With `marks`, about so many markers, elsewhere than those of its neighbours; else one a row.
    """
    look = series(index) | look
    gap = max(1, len(rows) // marks) if marks else 1
    if "low" in rows:
        axes.fill_between(rows.index, rows.low, rows.high, color=look["color"], alpha=SHADE, linewidth=0)
    axes.plot(rows.index, rows["mean"], markevery=(len(axes.lines) % gap, gap), **look)


def bars(axes: Axes, rows: pd.DataFrame, index: int, **look: Any) -> None:
    """As `band`, for a few places: a marker a row, with `low` to `high` as a bar."""
    lengths = np.stack([rows["mean"] - rows.low, rows.high - rows["mean"]]).clip(0)  # the mean is rounded
    axes.errorbar(rows.index, rows["mean"], lengths, **{"capsize": 2, "elinewidth": 0.8} | series(index) | look)


def keys(names: Iterable[str], **look: Any) -> list[Line2D]:
    """What a legend shows of the series of these names."""
    return [Line2D([], [], label=name, **series(index) | look) for index, name in enumerate(names)]


class PlainLog(LogLocator):
    """Ticks of a logarithmic axis: 0.5, 1, 2 over two decades at most, over more powers of ten, so that none touch."""

    def tick_values(self, vmin: float, vmax: float) -> Any:
        self.set_params(subs=(1, 2, 5) if vmin > 0 and vmax / vmin <= 100 else (1,))
        return super().tick_values(vmin, vmax)


def plain_log(axes: Axes) -> None:
    """A logarithmic y axis whose ticks read as numbers."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(PlainLog(numticks=6))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())


def settled(axes: Axes, curves: pd.DataFrame, at: str, measure: str, sign: int) -> None:
    """Limits of the y axis that show the last two thirds of `curves` whole, and the first but for its worse part, where
    everything is still the same; `at` is the column across, and a `sign` of 1 means that more is better.
    """
    late, worth = curves[curves[at] >= curves[at].max() / 3], sign * curves[measure]
    worst, best = (sign * late[measure]).min(), worth[np.isfinite(worth)].max()
    if worst < best:
        room = 0.05 * (best - worst)
        axes.set_ylim(*sorted((sign * (worst - room), sign * (best + room))))


def sizes_across(axes: Axes, sizes: list[float]) -> None:
    """A logarithmic x axis that has ticks at these sizes alone, also if there is one."""
    axes.set_xscale("log")
    axes.set_xlim(sizes[0] / ROOM, sizes[-1] * ROOM)
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axes.minorticks_off()


def in_percent(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns `mean`, `low` and `high` as percentages."""
    return rows[["mean", "low", "high"]] * 100


def with_range(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns `mean`, `low` and `high` of rows of a table; the range of the seeds where they have no interval."""
    return rows.assign(low=rows.low.fillna(rows.least), high=rows.high.fillna(rows.most))[["mean", "low", "high"]]


def in_unit(rows: pd.DataFrame, score: Score) -> pd.DataFrame:
    """As `with_range`, in the unit of a score."""
    return with_range(rows).astype(float) * score.scale


def final_scores(ranking: pd.DataFrame, score: Score) -> pd.DataFrame:
    """The rows of a `ranking` table on the validation score, in its unit, with ranges in the place of no interval."""
    final = ranking[ranking.measure == score.column].reset_index(drop=True)
    return final.assign(**in_unit(final, score))


def ranges(groups: SeriesGroupBy, geometric: bool = False) -> pd.DataFrame:
    """`mean` of each group, the geometric one if asked, with its least value as `low` and its largest as `high`."""
    mean = np.exp(groups.agg(lambda values: np.log(values).mean())) if geometric else groups.mean()
    return pd.DataFrame({"mean": mean, "low": groups.min(), "high": groups.max()})


def over_seeds(table: pd.DataFrame, by: list[str], measure: str) -> pd.DataFrame:
    """`mean` of `measure` over the seeds for each group `by`, with `low` and `high`: its 95% t interval, or from fewer
    than five seeds their range.

    Rows of one seed are averaged first.
    """
    seeds = table.groupby([*by, "seed"], observed=True)[measure].mean().unstack("seed")
    return with_range(known_over_seeds(seeds.to_numpy()).set_index(seeds.index))


def baseline_line(axes: Axes, baseline: pd.DataFrame, score: Score) -> None:
    """A thin dashed line at what logistic regression on raw pixels scores on validation, if that is on the axis: it
    moves none. It is named in the legend (`keys_of_baseline`), and not there for a study without such a baseline.

    `baseline` has the columns model (majority, logistic), val_score and test_score.
    """
    low, high = sorted(axes.get_ylim())
    for value in _linear_scores(baseline, score):
        if low <= value <= high:
            axes.axhline(value, zorder=1, **BASELINE)


def keys_of_baseline(axes: Axes, baseline: pd.DataFrame, score: Score, between: str = " ") -> list[Line2D]:
    """What a legend shows of the line of `baseline_line`, with its number, and an arrow to it if it is off these axes;
    `between` separates the words.
    """
    low, high = sorted(axes.get_ylim())
    arrows = [
        (value, " ↑" if value > high else " ↓" if value < low else "") for value in _linear_scores(baseline, score)
    ]
    name = LINEAR.replace(" ", between)
    return [Line2D([], [], label=f"{name} {score.number(value)}{arrow}", **BASELINE) for value, arrow in arrows]


def _linear_scores(baseline: pd.DataFrame, score: Score) -> pd.Series:
    return score.scale * baseline[baseline.model == "logistic"].val_score
