"""Every figure by name: what draws it and which tables it reads. Imports no matplotlib and no torch."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from phase2.errors import UserError, unknown

STUDY = "study"


@dataclass(frozen=True)
class Figure:
    """A drawing function as `module:function`, the tables that are its keyword arguments, a caption, and whose it is:
    a figure of any study that has the axes it needs, or of a kind of probe.
    """

    target: str
    tables: tuple[str, ...]
    caption: str
    of: str = STUDY
    needs: tuple[str, ...] = ()


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
    "lr_sensitivity": Figure(
        "phase2.figures.lr_sensitivity:lr_sensitivity",
        ("ranking", "divergence"),
        "Test accuracy against the learning rate: mean with its 95% interval over seeds; a diverged run counts at "
        "chance. A ring marks each line's best rate, a cross a rate at which a seed diverged.",
        needs=("lr",),
    ),
    "decay_map": Figure(
        "phase2.figures.decay_map:decay_map",
        ("ranking",),
        "Test accuracy in percent by learning rate and weight decay, mean over seeds with diverged runs at chance. "
        "The line joins the best decay of each rate; a frame marks the best of all.",
        needs=("lr", "weight_decay"),
    ),
    "budget_curves": Figure(
        "phase2.figures.budget_curves:budget_curves",
        ("ranking",),
        "Test accuracy at the end of training against the budget in epochs, every budget a training of its own: mean "
        "with its 95% interval over seeds. Right, what each is behind the best of its budget.",
        needs=("epochs",),
    ),
    "best_curves": Figure(
        "phase2.figures.best_curves:best_curves",
        ("ranking", "cells", "curves"),
        "Learning curves of each strategy at its best setting: mean over seeds with its 95% t interval.",
    ),
    "range_test": Figure(
        "phase2.figures.range_test:range_test",
        ("losses", "suggestions"),
        "Learning-rate range test: smoothed minibatch loss while the rate grows, mean over seeds with their range. "
        "Lines mark the rate of the steepest fall and that at which the loss breaks out.",
        of="range_test",
    ),
    "trajectories": Figure(
        "phase2.figures.trajectories:trajectories",
        ("paths", "surface", "tuning"),
        "Paths of the optimizers from one initialization, in the plane of the first two principal components of all "
        "their weights from their start, over the training loss in that plane; and the loss along each path.",
        of="trajectories",
    ),
    "descent_paths": Figure(
        "phase2.figures.descent_paths:descent_paths",
        ("functions", "quadratic"),
        "Paths on an ill-conditioned quadratic, on Rosenbrock's and on Beale's function, each optimizer at the best of "
        "the same number of rates: above with one rate for all coordinates, below with one for each. Right, the "
        "distance from the quadratic's minimum with the theory's settings: measured (markers) and its rate (lines).",
        of="trajectories",
    ),
    "ntk_convergence": Figure(
        "phase2.figures.ntk_convergence:ntk_convergence",
        ("convergence", "drift"),
        "Relative distance of the empirical kernels from their infinite-width limit, and of the tangent kernel after "
        "training from that before, against the width: geometric mean over seeds with their range. Grey: the theory's "
        "slope.",
        of="kernel_regime",
    ),
    "ntk_training": Figure(
        "phase2.figures.ntk_training:ntk_training",
        ("linearized", "regression"),
        "Training of the narrowest and the widest network and of their linearizations by full-batch gradient descent, "
        "and how far apart their test outputs are; right, the test accuracy of kernel regression against the widest "
        "trained network: mean over seeds with their range.",
        of="kernel_regime",
    ),
    "landscape_planes": Figure(
        "phase2.figures.landscape_planes:landscape_planes",
        ("planes",),
        "Training loss in a plane of two filter-normalized random directions around trained networks, of one seed. "
        "BatchNorm's statistics are recomputed at every point. A cross marks the network, a ring the least loss of "
        "the plane; losses beyond 20 times the least of all share a colour.",
        of="landscape",
    ),
    "landscape_lines": Figure(
        "phase2.figures.landscape_lines:landscape_lines",
        ("lines", "interpolation"),
        "Training loss along one filter-normalized random direction, and on the straight way between the solutions of "
        "two seeds: mean with its range over seeds. BatchNorm's statistics are recomputed at every point. Losses "
        "beyond 20 times the least are cut off.",
        of="landscape",
    ),
    "edge_of_stability": Figure(
        "phase2.figures.edge_of_stability:edge_of_stability",
        ("path",),
        "Full-batch gradient descent: training loss and sharpness (the largest eigenvalue of the Hessian) by step; "
        "dashed, 2 / rate, above which a quadratic's minimum would be unstable. A line a seed; a cross: the last "
        "finite loss of a descent that diverged.",
        of="edge_of_stability",
    ),
    "hessian_spectrum": Figure(
        "phase2.figures.hessian_spectrum:hessian_spectrum",
        ("spectrum",),
        "The largest eigenvalues of the Hessian before and after training, and the mean of all eigenvalues "
        "(the trace by their number): mean over seeds with their range.",
        of="edge_of_stability",
    ),
    "depth_curves": Figure(
        "phase2.figures.depth_curves:depth_curves",
        ("cells", "curves"),
        "Training error (dashed) and validation error (solid) by step, a line a depth, a panel an architecture: mean "
        "over seeds with the range of the validation error.",
        needs=("depth", "model"),
    ),
    "backends": Figure(
        "phase2.figures.backends:backends",
        ("cells", "curves"),
        "One network trained from the same seeds by the convolution written here and by torch's fused kernel: "
        "validation accuracy by epoch, a line a seed and a marker a backend, and the absolute difference of their "
        "training losses, down to 0.",
        needs=("backend",),
    ),
    "sharing": Figure(
        "phase2.figures.sharing:sharing",
        ("ranking",),
        "Test accuracy of networks of equally many parameters on images and on images whose pixels are permuted, the "
        "same way in all: mean with its 95% interval over seeds.",
        needs=("model", "pixels"),
    ),
    "erf_growth": Figure(
        "phase2.figures.erf_growth:erf_growth",
        ("growth", "profiles"),
        "Effective receptive field of random stacks: its standard deviation against the number of convolutions, "
        "in pixels and by the theoretical field: measured (markers: mean over seeds with their range) and predicted "
        "(lines). Stride: three stages, each at half the resolution; dilation: 2; residual: x + F(x). Below, profiles "
        "with the Gaussian of the same variance.",
        of="receptive_field",
    ),
    "erf_maps": Figure(
        "phase2.figures.erf_maps:erf_maps",
        ("fields", "maps"),
        "Effective receptive fields of the networks of a study before and after training: mean squared gradient of "
        "the last map's centre by the image, one seed, each scaled to its peak. The frame is the theoretical field "
        "where it is inside the image, the ellipse the fitted Gaussian at two standard deviations. Share: the least "
        "part of the theoretical field inside the image that holds 86% of the squared gradient.",
        of="receptive_field",
    ),
    "first_filters": Figure(
        "phase2.figures.first_filters:first_filters",
        ("filters", "maps"),
        "Filters of the first layer after training, one seed (at most sixteen), each scaled to its largest weight "
        "(purple and orange: the two signs); below them the first test image and the maps that they make of it, after "
        "the activation.",
        of="feature_hierarchy",
    ),
    "exciting_images": Figure(
        "phase2.figures.exciting_images:exciting_images",
        ("exciting",),
        "The test image that most excites a unit at the centre of the first, the middle and the last layer of maps, "
        "and one found by gradient ascent with pixels in the same range and no larger norm; below, the excitation in "
        "standard deviations (SD) over the test images; one seed.",
        of="feature_hierarchy",
    ),
    "linear_probes": Figure(
        "phase2.figures.linear_probes:linear_probes",
        ("linear_probes",),
        "Test accuracy of a linear classifier on the features of each layer (0: the pixels), before and after "
        "training: mean over seeds with their range.",
        of="feature_hierarchy",
    ),
    "layer_responses": Figure(
        "phase2.figures.layer_responses:layer_responses",
        ("responses",),
        "Standard deviation of each layer's response after its normalization, before the nonlinearity and the "
        "addition, in the trained networks: by layer, and sorted; mean over seeds with their range.",
        of="layer_responses",
    ),
    "gradient_by_depth": Figure(
        "phase2.figures.gradient_by_depth:gradient_by_depth",
        ("responses",),
        "Norm of the loss's gradient by each layer's weights at initialization, in mid-training and after training, "
        "a line a depth, a row an architecture: geometric mean over seeds with their range; a gap where a seed's "
        "gradient is zero.",
        of="layer_responses",
    ),
    "curvature": Figure(
        "phase2.figures.curvature:curvature",
        ("curvature",),
        "Sharpness, trace of the Hessian and gradient noise scale of the trained networks against the batch size: "
        "geometric mean over seeds with their range, a line a combination of the other axes.",
        of="curvature",
    ),
}


def check(names: Iterable[str], of: str, axes: Iterable[str] = ()) -> None:
    """Raises `UserError` for a figure that is unknown, that is not drawn of a study (or of this kind of probe), or
    that needs an axis which is not among the study's `axes`.
    """
    known = [name for name, figure in FIGURES.items() if figure.of == of]
    for name in names:
        if name not in known:
            raise unknown(f"figure of a {of}" if of == STUDY else f"figure of the probe {of}", name, known)
        if missing := [axis for axis in FIGURES[name].needs if axis not in axes]:
            raise UserError(f"the figure {name} needs the axis {missing[0]}: add it to the study, or leave it out")


def load(name: str) -> Callable[..., Any]:
    """The drawing function of a figure, imported now; raises `UserError` for an unknown name."""
    if name not in FIGURES:
        raise unknown("figure", name, FIGURES)
    module, function = FIGURES[name].target.split(":")
    return getattr(import_module(module), function)
