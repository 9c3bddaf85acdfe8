"""What the report says of each probe, drawn by code: sentences whose wording and numbers come from its tables.

A function has the name of the kind of probe. It takes the probe's inputs and `say`, which enters a macro and returns
its call, as in `phase2.report.conclusions`. Its first text says what was measured, the others what was found.
"""

from collections.abc import Callable

from phase2.report.failures import Say
from phase2.report.inputs import ProbeInputs
from phase2.report.latex import escape, listed, plural
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

TOLD = (
    *(activation_shapes, approximation, batch_noise, curvature, edge_of_stability, feature_hierarchy, four_ways),
    *(gradient_flow, kernel_regime, landscape, layer_responses, lsuv_convergence, mean_field, model_sizes, range_test),
    *(receptive_field, trajectories, uncertainty, unit_health),
)


def untold(probe: ProbeInputs, say: Say) -> list[str]:
    """What is said of a probe that has no sentences of its own yet: how large its tables are."""
    tables = [
        rf"{say(f'Rows of {name}', plural(len(table), 'row'), name, 'rows')} in \texttt{{{escape(name)}}}"
        for name, table in probe.tables.items()
    ]
    return [f"The tables of this probe have {listed(tables)}.", "What was found is in them and in the figures alone."]


MEASURED: dict[str, Callable[[ProbeInputs, Say], list[str]]] = {told.__name__: told for told in TOLD}
