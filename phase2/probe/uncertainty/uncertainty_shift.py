"""What Monte-Carlo dropout says of inputs that drift away from the training data, and whether it gives them away."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from phase2.card import FigureCard
from phase2.figures.marks import bars, ranges
from phase2.figures.style import MUTED, PALETTE, blank, nothing_without, styled
from phase2.probe.uncertainty.card import UNFAMILIAR

CARD = FigureCard(
    ("shift", "detection"),
    "Monte-Carlo dropout under shift: accuracy and entropies of rotated images and of unfamiliar data, mean over seeds "
    "with their range; right, how well each score tells the unfamiliar from the familiar (0.5: not at all), a dot a "
    "seed, a stroke at their mean. Open dots: scores of the network without masks, which cost one pass.",
)

ENTROPIES = {
    "predictive_entropy": "predictive entropy",
    "expected_entropy": "expected entropy",
    "mutual_information": "mutual information",
}
WITHOUT_MASKS = ("max_probability", "entropy")
SCORES = {
    "max_probability": "max probability",
    "entropy": "entropy",
    "mc_max_probability": "max mean probability",
    "predictive_entropy": "predictive entropy",
    "expected_entropy": "expected entropy",
    "mutual_information": "mutual information",
}
PLACES = ["accuracy", "turned", "other"]  # left of the two panels of AUROC


@styled
@nothing_without("shift", "accuracy")
def uncertainty_shift(*, shift: pd.DataFrame, detection: pd.DataFrame) -> Figure:
    """Accuracy and entropies by angle, entropies of the unfamiliar data beside, and AUROC of every score by seed.

    Dots of the former are means over the seeds with their range. AUROC is of telling unfamiliar data, and test images
    turned by the largest angle, from test images as they are; the grey line is chance.
    """
    figure = blank(2.9)
    panels = figure.subplot_mosaic([[*PLACES, "upper"], [*PLACES, "lower"]], width_ratios=(1.8, 1.8, 0.5, 1.8))
    accuracy, turned, other = (panels[place] for place in PLACES)
    rotations = shift[shift.kind != UNFAMILIAR]
    rotations = rotations.assign(angle=pd.to_numeric(rotations.kind), percent=100 * rotations.accuracy)
    _line(accuracy, ranges(rotations.groupby("angle").percent), len(ENTROPIES))
    accuracy.set(title="accuracy (%)", xlabel="rotation (degrees)", ylim=(0, 100))
    for index, (measure, name) in enumerate(ENTROPIES.items()):
        _line(turned, ranges(rotations.groupby("angle")[measure]), index, name)
        beside = ranges(shift[shift.kind == UNFAMILIAR].groupby("kind")[measure])
        _line(other, beside.set_axis([index], axis=0), index)
    turned.set(title="entropy (nats)", xlabel="rotation (degrees)")
    _beside(turned, other)
    _detection(panels["upper"], panels["lower"], detection)
    figure.legend(*turned.get_legend_handles_labels(), loc="outside lower center", ncols=3, handlelength=2.8)
    return figure


def _line(axes: Axes, rows: pd.DataFrame, index: int, name: str = "") -> None:
    bars(axes, rows, index, label=name)
    axes.grid(True)
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 1.5, 3, 4.5, 6, 9, 10]))  # parts of a right angle


def _beside(turned: Axes, other: Axes) -> None:
    """`other` on the scale of `turned`, as its last column."""
    top = max(turned.get_ylim()[1], other.get_ylim()[1])
    for axes in (turned, other):
        axes.set_ylim(0, top)
    other.set(xlim=(-1, len(ENTROPIES)), xticks=[1], xticklabels=["unfamiliar\ndata"])
    other.tick_params(axis="both", length=0, labelleft=False)
    other.spines["left"].set_visible(False)


def _detection(upper: Axes, lower: Axes, detection: pd.DataFrame) -> None:
    """Above the unfamiliar data, below the turned images, on one scale: a dot a seed, a stroke at their mean."""
    other = detection.kind == UNFAMILIAR
    angle = detection.kind[~other].iloc[0]
    titles = {"AUROC, unfamiliar data": detection[other], f"AUROC, turned by {angle}°": detection[~other]}
    for axes, (title, table), colour in zip((upper, lower), titles.items(), PALETTE, strict=False):
        for place, score in enumerate(SCORES):
            areas = table.auroc[table.score == score]
            face = "white" if score in WITHOUT_MASKS else colour
            axes.scatter(
                areas, np.full(len(areas), place), s=10, color=face, edgecolors=colour, linewidths=0.8, zorder=3
            )
            axes.vlines(areas.mean(), place - 0.35, place + 0.35, color="black", linewidth=1.2, zorder=4)
        axes.set_yticks(range(len(SCORES)), SCORES.values())
        axes.set_ylim(len(SCORES) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.axvline(0.5, color=MUTED, linewidth=0.8, zorder=1)
        axes.grid(axis="x")
        axes.set_title(title)
    upper.sharex(lower)
    upper.tick_params(labelbottom=False)
