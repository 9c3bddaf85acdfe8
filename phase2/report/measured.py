"""What the report says of each probe, drawn by code: sentences whose wording and numbers come from its tables.

A function takes the probe's inputs and `say`, which enters a macro and returns its call, as in
`phase2.report.conclusions`. Its first text says what was measured, the others what was found.
"""

from collections.abc import Callable

from phase2.report.failures import Say
from phase2.report.inputs import ProbeInputs
from phase2.report.measured_convolutions import layer_responses, model_sizes
from phase2.report.measured_curvature import curvature, edge_of_stability
from phase2.report.measured_features import feature_hierarchy
from phase2.report.measured_landscape import landscape
from phase2.report.measured_ntk import kernel_regime
from phase2.report.measured_receptive_field import receptive_field
from phase2.report.measured_signals import activation_shapes, gradient_flow, lsuv_convergence
from phase2.report.measured_theory import batch_noise, mean_field
from phase2.report.measured_training import approximation, four_ways, unit_health
from phase2.report.measured_trajectories import range_test, trajectories
from phase2.report.measured_uncertainty import uncertainty

MEASURED: dict[str, tuple[str, Callable[[ProbeInputs, Say], list[str]]]] = {
    "activation_shapes": ("extremes", activation_shapes),
    "four_ways": ("results", four_ways),
    "lsuv_convergence": ("convergence", lsuv_convergence),
    "gradient_flow": ("layers", gradient_flow),
    "mean_field": ("variance", mean_field),
    "batch_noise": ("noise", batch_noise),
    "approximation": ("errors", approximation),
    "unit_health": ("units", unit_health),
    "uncertainty": ("inference", uncertainty),
    "range_test": ("suggestions", range_test),
    "trajectories": ("tuning", trajectories),
    "kernel_regime": ("convergence", kernel_regime),
    "landscape": ("lines", landscape),
    "edge_of_stability": ("path", edge_of_stability),
    "curvature": ("curvature", curvature),
    "receptive_field": ("growth", receptive_field),
    "feature_hierarchy": ("linear_probes", feature_hierarchy),
    "layer_responses": ("responses", layer_responses),
    "model_sizes": ("sizes", model_sizes),
}
