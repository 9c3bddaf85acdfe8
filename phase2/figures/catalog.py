"""Every figure by name: what draws it and which tables it reads. Imports no matplotlib and no torch."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from phase2.errors import unknown

STUDY = "study"


@dataclass(frozen=True)
class Figure:
    """A drawing function as `module:function`, the tables that are its keyword arguments, a caption, and whose it is:
    a figure of any study, or of a kind of probe.
    """

    target: str
    tables: tuple[str, ...]
    caption: str
    of: str = STUDY


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
    "training_dynamics": Figure(
        "phase2.figures.training_dynamics:training_dynamics",
        ("cells", "curves"),
        "Training loss, gradient norm and weight norm by epoch for the levels of each factor: median of all runs of a "
        "level that were still running, with the middle half of them shaded.",
    ),
    "activation_shapes": Figure(
        "phase2.figures.activation_shapes:activation_shapes",
        ("shapes",),
        "Every activation with its first and second derivative, computed by the layers themselves.",
        of="activation_shapes",
    ),
    "four_ways": Figure(
        "phase2.figures.four_ways:four_ways",
        ("curves", "results"),
        "Minibatch loss of the four implementations (mean over seeds), and the largest difference from NumPy by hand. "
        "It leaps where a ReLU within rounding of its kink is open in one network and closed in another; in float64 "
        "gradients and curves agree.",
        of="four_ways",
    ),
    "lsuv_convergence": Figure(
        "phase2.figures.lsuv_convergence:lsuv_convergence",
        ("convergence",),
        "LSUV layer by layer: the variance of each layer's output as LSUV finds it, how far from 1 it is left, and how "
        "many scalings that took; mean over the seeds with their range.",
        of="lsuv_convergence",
    ),
    "gradient_flow": Figure(
        "phase2.figures.gradient_flow:gradient_flow",
        ("layers",),
        "Standard deviation of activations and root mean square of gradients by layer at initialization: geometric "
        "mean over seeds, with their range. Grey: beyond float32.",
        of="gradient_flow",
    ),
    "activation_histograms": Figure(
        "phase2.figures.activation_histograms:activation_histograms",
        ("histograms",),
        "Distributions of activations and of gradients through the layers, in units of their root mean square "
        "(printed), each scaled to its own peak; exact zeros left out.",
        of="gradient_flow",
    ),
    "mean_field": Figure(
        "phase2.figures.mean_field:mean_field",
        ("variance", "phase", "boundary"),
        "Mean-field theory. Above: variance of the pre-activations by layer, predicted (lines) and measured in random "
        "networks (dots). Below: measured growth of the gradient a layer, with the predicted edge of chaos.",
        of="mean_field",
    ),
    "batch_noise": Figure(
        "phase2.figures.batch_noise:batch_noise",
        ("noise",),
        "Variance over random batches of a sample's normalized value, of the batch's mean and of its standard "
        "deviation, in units of the data's variance; below, relative to theory. Dots: mean over seeds with its 95% t "
        "interval.",
        of="batch_noise",
    ),
    "approximation": Figure(
        "phase2.figures.approximation:approximation",
        ("errors", "fits"),
        "Universal approximation, tried: largest error on [-1, 1] by width, geometric mean over seeds with their "
        "range, and what the narrowest and the widest networks of the first seed fit.",
        of="approximation",
    ),
    "unit_health": Figure(
        "phase2.figures.unit_health:unit_health",
        ("units",),
        "Saturated and dead units of the trained networks: mean over layers and settings, with the 95% t interval over "
        "seeds.",
        of="unit_health",
    ),
    "dropout_inference": Figure(
        "phase2.figures.dropout_inference:dropout_inference",
        ("inference", "calibration"),
        "Dropout at inference: scaled right, with the scaling forgotten, and averaged over Monte-Carlo samples; mean "
        "over seeds with its 95% t interval. Right: reliability at the rate nearest one half.",
        of="uncertainty",
    ),
    "uncertainty_shift": Figure(
        "phase2.figures.uncertainty_shift:uncertainty_shift",
        ("shift", "detection"),
        "Monte-Carlo dropout under shift: accuracy and entropies of rotated images and of unfamiliar data, and how "
        "well each score tells the unfamiliar from the familiar; mean over seeds with its 95% t interval.",
        of="uncertainty",
    ),
}


def check(names: Iterable[str], of: str) -> None:
    """Raises `UserError` for a figure that is unknown, or that is not drawn of a study (or of this kind of probe)."""
    known = [name for name, figure in FIGURES.items() if figure.of == of]
    for name in names:
        if name not in known:
            raise unknown(f"figure of a {of}" if of == STUDY else f"figure of the probe {of}", name, known)


def load(name: str) -> Callable[..., Any]:
    """The drawing function of a figure, imported now; raises `UserError` for an unknown name."""
    if name not in FIGURES:
        raise unknown("figure", name, FIGURES)
    module, function = FIGURES[name].target.split(":")
    return getattr(import_module(module), function)
