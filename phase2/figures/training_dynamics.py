"""What training looks like from inside: loss, gradient norm and weight norm by epoch, for the levels of a factor."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from phase2.card import FigureCard
from phase2.figures.marks import band, keys, plain_log
from phase2.figures.style import blank, nothing_without, styled
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.words.levels import crossed, label

CARD = FigureCard(
    ("cells", "curves", "score"),
    "Training loss, gradient norm and weight norm by epoch for the levels of each factor: median of the runs of a "
    "level that finished, with the middle half of them shaded. Where runs failed, the legends say how many.",
)

NORMS = {"grad_norm": "gradient norm", "weight_norm": "weight norm"}
PANEL, LEGEND = 1.55, 0.4  # inches: a row of panels, and the space of all legends
QUARTILES = {"low": 0.25, "mean": 0.5, "high": 0.75}  # the line is the median


@styled
@nothing_without("curves", "loss")
def training_dynamics(*, cells: pd.DataFrame, curves: pd.DataFrame, score: pd.DataFrame) -> Figure:
    """Rows of panels a factor, a column a measure, a line a level.

    A line is the median of all runs of that level that finished, on a log axis; its band holds the middle half of them.
    Whatever the other factors are, they are pooled.
    """
    measures = {"loss": Score.read(score).training_loss, **NORMS}
    varied = [factor for factor in factors_of(cells, before="status") if cells[factor].nunique() > 1]
    training = curves[curves.split == "train"][["id", "epoch", *measures]]
    training = training.merge(cells.loc[cells.status == "ok", ["id", *varied]], on="id")
    rows = [[factor] for factor in varied] or [[]]  # a single combination has a row of its own
    figure = blank(len(rows) * (PANEL + LEGEND))
    for factors, part in zip(rows, figure.subfigures(len(rows), 1, squeeze=False).ravel(), strict=True):
        of_cells, levels = crossed(cells, factors), crossed(training, factors)
        names = list(of_cells.cat.categories)
        for axes, (measure, title) in zip(part.subplots(1, len(measures), sharex=True), measures.items(), strict=True):
            _panel(axes, training.assign(level=levels), names, measure)
            axes.set(title=title, xlabel="epoch")
        if factors:
            failed = of_cells[cells.status != "ok"].value_counts()
            told = [f"{name} ({failed[name]} failed)" if failed[name] else name for name in names]
            look: dict[str, Any] = {"loc": "outside lower center", "ncols": min(len(names), 5 if failed.any() else 7)}
            part.legend(handles=keys(told), title=label(factors[0]), **look)
    return figure


def _panel(axes: Axes, training: pd.DataFrame, names: list[str], measure: str) -> None:
    plain_log(axes)
    axes.grid()
    for index, name in enumerate(names):
        by_epoch = training[training.level == name].groupby("epoch")[measure]
        band(axes, pd.DataFrame({name: by_epoch.quantile(part) for name, part in QUARTILES.items()}), index)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
