"""The map of what trains, with the theory's limit drawn in it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from phase2.card import FigureCard
from phase2.figures.marks import cell_map, is_left, keys_of_failures, mark_failures, panels
from phase2.figures.style import FULL_WIDTH, SEQUENTIAL, blank, nothing_without, styled
from phase2.probe.trainability.card import SCALES
from phase2.words.levels import printed

CARD = FigureCard(
    ("trained", "theory"),
    "Accuracy on the training images in percent, mean over the seeds that finished, by the size of the first weights "
    "and by depth. Red: six times the depth scale of mean-field theory, within which gradients change by a factor of "
    "about 20 at most; networks below the line, which are deeper, are not expected to learn. Where it goes deepest "
    "lies the edge of chaos. Where seeds failed, a cell is hatched, and grey with a cross if all did.",
)

CELL = (0.34, 0.26)  # inches: room for two digits
MARGIN = 1.2  # inches: row labels and colour bar
LIMIT = "#D62728"


@styled
@nothing_without("trained", "accuracy")
def trainability(*, trained: pd.DataFrame, theory: pd.DataFrame) -> Figure:
    """A panel an activation: depth down, σ_w across, a number a cell; the line of SCALES depth scales through them."""
    label_of = dict(zip(trained.activation, printed(trained.activation), strict=True))
    names = list(dict.fromkeys(label_of.values()))
    depths, stds = sorted(trained.depth.unique()), sorted(trained.weight_std.unique())
    per_row = max(1, min(len(names), int((FULL_WIDTH - MARGIN) / (len(stds) * CELL[0]))))
    figure = blank(-(-len(names) // per_row) * (max(0.9, len(depths) * CELL[1]) + 0.3) + 1.0)
    grid = panels(figure, names, per_row)
    groups = trained.groupby(["activation", "depth", "weight_std"])["accuracy"]
    finished, run = groups.count(), groups.size()
    for activation, name in label_of.items():
        axes, here = grid[name], trained[trained.activation == activation]
        values = 100 * here.pivot_table("accuracy", "depth", "weight_std", dropna=False).loc[depths, stds]
        values = values.set_axis([f"{std:g}" for std in stds], axis="columns")
        image = cell_map(axes, values, values.round().map("{:.0f}".format), Normalize(0, 100), SEQUENTIAL)
        mark_failures(axes, _table(finished, activation), _table(run, activation))
        _limit(axes, theory[theory.activation == activation], depths, stds)
        axes.xaxis.set_label_position("top")
        axes.set_xlabel(r"$\sigma_w$")
        if is_left(axes):
            axes.set_ylabel("hidden layers")
    figure.colorbar(image, ax=list(grid.values()), label="training accuracy (%)", aspect=30, pad=0.015)
    line = Line2D([], [], color=LIMIT, linewidth=1.6, label=f"{SCALES} depth scales of theory")
    figure.legend(handles=[line, *keys_of_failures(finished, run)], loc="outside lower center", ncols=3)
    return figure


def _table(counts: pd.Series, activation: str) -> np.ndarray:
    """Counts by activation, depth and size of one activation: (depths, sizes)."""
    return counts.xs(activation).unstack().to_numpy()


def _limit(axes: Axes, theory: pd.DataFrame, depths: list[int], stds: list[float]) -> None:
    """The line through cells that are drawn at equal distances: between them, in proportion to the logarithm."""
    shown = axes.get_xlim(), axes.get_ylim()
    layers = np.log(SCALES * theory.depth_scale.clip(upper=1e9))
    ends = np.log([depths[0] / 4, *depths, depths[-1] * 4])  # a cell beyond the map, where the line leaves it
    across = np.interp(np.log(theory.weight_std), np.log(stds), range(len(stds)))
    axes.plot(across, np.interp(layers, ends, np.arange(-1, len(depths) + 1)), color=LIMIT, linewidth=1.6)
    axes.set(xlim=shown[0], ylim=shown[1])
