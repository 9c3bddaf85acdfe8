"""Which units of trained networks still work: saturated ones pass no gradient back, dead ones nothing forward."""

import pandas as pd
import torch
from torch import Tensor
from torch.nn import Module

from phase2 import registry
from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.probe.gradient_flow.card import SATURATION
from phase2.probe.runs import Runs, test_images
from phase2.probe.slope import slope
from phase2.probe.unit_health.card import Options

CONSTANT = 1e-6  # of the layer's root mean square: a unit that varies by no more says nothing


def measure(options: Options, data: Prepared, runs: Runs) -> dict[str, pd.DataFrame]:
    """Hidden units of trained networks on `options.batch` test images, evenly spread over the test part.

    Table `units`, a row for each run and hidden layer (1 is the first): the run's axes, and over images and units
    `saturated`, the fraction with |f'| < 0.01, as in the probe gradient_flow; `dead`, the fraction of units whose
    output is the same on all images to 1e-6 of the layer's root mean square; `mean` and `std` of the outputs.
    Raises `UserError` for more images than there are, or a study without an axis `activation`.
    """
    if "activation" not in runs.axes:
        raise UserError(f"unit_health: the study's axes are {', '.join(runs.axes)}, expected activation among them")
    rows = []
    for run in runs:
        images, _ = test_images(options.batch, data, run)
        layers = hidden_layers(run.model, registry.load("activation", run.axes["activation"]), images)
        rows += [run.axes | {"layer": n} | _summary(*layer) for n, layer in enumerate(layers, start=1)]
    return {"units": runs.table(rows, "layer", "saturated", "dead", "mean", "std")}


def hidden_layers(model: Module, activation: type[Module], images: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The outputs f(z) and slopes f'(z), (batch, units) each, of every `activation` that `images` pass through."""
    passed: list[tuple[Module, Tensor, Tensor]] = []
    layers = [module for module in model.modules() if isinstance(module, activation)]
    hooks = [layer.register_forward_hook(lambda f, z, h: passed.append((f, *z, h))) for layer in layers]
    try:
        with torch.no_grad():
            model(images)
    finally:
        for hook in hooks:
            hook.remove()
    return [(h, slope(f, z)) for f, z, h in passed]


def _summary(h: Tensor, slope: Tensor) -> dict[str, float]:
    spread, scale = h.amax(0) - h.amin(0), h.square().mean().sqrt()
    return {
        "saturated": (slope.abs() < SATURATION).double().mean().item(),
        "dead": (spread <= CONSTANT * scale).double().mean().item(),
        "mean": h.mean().item(),
        "std": h.std(correction=0).item(),
    }
