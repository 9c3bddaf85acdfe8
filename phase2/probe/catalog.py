"""Every probe by name: the function that measures, the tables that it returns, what it reads. Imports no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Probe:
    """A measuring function as `module:function`, the names of its tables, and its arguments besides the options:
    `data` (of its data set), `runs` (trained networks of a study, with the study's data) or `unfamiliar` (other data).
    """

    target: str
    tables: tuple[str, ...]
    reads: tuple[str, ...] = ("data",)

    @property
    def module(self) -> str:
        return self.target.split(":")[0]


PROBES: dict[str, Probe] = {
    "activation_shapes": Probe("phase2.probe.activation_shapes:activation_shapes", ("shapes", "extremes"), ()),
    "four_ways": Probe("phase2.probe.four_ways:four_ways", ("curves", "results")),
    "lsuv_convergence": Probe("phase2.probe.lsuv_convergence:lsuv_convergence", ("convergence",)),
    "gradient_flow": Probe("phase2.probe.gradient_flow:gradient_flow", ("layers", "histograms")),
    "mean_field": Probe("phase2.probe.mean_field:mean_field", ("variance", "phase", "boundary"), ()),
    "batch_noise": Probe("phase2.probe.batch_noise:batch_noise", ("noise",)),
    "approximation": Probe("phase2.probe.approximation:approximation", ("errors", "fits"), ()),
    "unit_health": Probe("phase2.probe.unit_health:unit_health", ("units",), ("data", "runs")),
    "uncertainty": Probe(
        "phase2.probe.uncertainty:uncertainty",
        ("inference", "calibration", "shift", "detection"),
        ("data", "runs", "unfamiliar"),
    ),
    "range_test": Probe("phase2.probe.range_test:range_test", ("losses", "suggestions")),
    "trajectories": Probe(
        "phase2.probe.trajectories:trajectories", ("paths", "surface", "tuning", "functions", "quadratic")
    ),
    "kernel_regime": Probe(
        "phase2.probe.kernel_regime:kernel_regime", ("convergence", "linearized", "drift", "regression")
    ),
    "landscape": Probe("phase2.probe.landscape:landscape", ("lines", "planes", "interpolation"), ("data", "runs")),
    "edge_of_stability": Probe("phase2.probe.edge_of_stability:edge_of_stability", ("path", "spectrum")),
    "curvature": Probe("phase2.probe.curvature:curvature", ("curvature",), ("data", "runs")),
    "receptive_field": Probe(
        "phase2.probe.receptive_field:receptive_field", ("fields", "growth", "profiles", "maps"), ("data", "runs")
    ),
    "feature_hierarchy": Probe(
        "phase2.probe.feature_hierarchy:feature_hierarchy",
        ("filters", "maps", "exciting", "linear_probes"),
        ("data", "runs"),
    ),
    "layer_responses": Probe("phase2.probe.layer_responses:layer_responses", ("responses",), ("data", "runs")),
    "model_sizes": Probe("phase2.probe.model_sizes:model_sizes", ("sizes",), ()),
}


def load(name: str) -> Callable[..., Any]:
    """The measuring function of a probe, imported now."""
    module, function = PROBES[name].target.split(":")
    return getattr(import_module(module), function)
