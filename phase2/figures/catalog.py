"""Every figure by name: what draws it and which tables it reads. Imports no matplotlib and no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from phase2.errors import unknown


@dataclass(frozen=True)
class Figure:
    """A drawing function as `module:function`, the tables that are its keyword arguments, and a caption."""

    target: str
    tables: tuple[str, ...]
    caption: str


FIGURES: dict[str, Figure] = {
    "accuracy_heatmap": Figure(
        "phase2.figures.accuracy_heatmap:accuracy_heatmap",
        ("cells",),
        "Test accuracy in percent, mean over the seeds that finished. Hatched: some diverged, n finished. "
        "Grey with a cross: all diverged. The colour scale is stretched at its upper end.",
    ),
    "learning_curves": Figure(
        "phase2.figures.learning_curves:learning_curves",
        ("cells", "curves"),
        "Validation accuracy in percent by epoch, mean over the seeds still running with its 95% t interval. "
        "A cross marks the last finite epoch of a cell that diverged (epoch 0 if it had none).",
    ),
    "schedules": Figure(
        "phase2.figures.schedules:schedules",
        ("schedules", "curves"),
        "Learning rate by optimizer step: the schedule's function (line) and what the runs recorded (dots).",
    ),
    "ranking": Figure(
        "phase2.figures.ranking:ranking",
        ("ranking", "levels"),
        "The best and the worst combinations, and each level averaged over all others, by each measure: "
        "mean with its 95% interval. Each block has its own scale.",
    ),
    "variance": Figure(
        "phase2.figures.variance:variance",
        ("variance",),
        "Share of the variance that each factor and each interaction explains, with its 95% interval.",
    ),
    "divergence": Figure(
        "phase2.figures.divergence:divergence",
        ("divergence",),
        "Seeds of each combination that diverged, and that finished without learning (stuck).",
    ),
    "pairs": Figure(
        "phase2.figures.pairs:pairs",
        ("pairs",),
        "Paired differences between the levels of each factor, in percentage points, with 95% intervals. "
        "Filled: significant at 0.05 after Holm's correction.",
    ),
}


def load(name: str) -> Callable[..., Any]:
    """The drawing function of a figure, imported now; raises `UserError` for an unknown name."""
    if name not in FIGURES:
        raise unknown("figure", name, FIGURES)
    module, function = FIGURES[name].target.split(":")
    return getattr(import_module(module), function)
