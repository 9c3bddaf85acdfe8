"""Which units of trained networks still work: saturated ones pass no gradient back, dead ones nothing forward.

Of a network that learned nothing neither is a finding: its units may look healthy, as a sigmoid's do at the start.
"""

from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.nn import Module

from phase2 import registry
from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.probe.features import BATCH
from phase2.probe.gradient_flow.card import SATURATION
from phase2.probe.runs import Run, Runs, task_of, test_images
from phase2.probe.slope import slope
from phase2.probe.unit_health.card import Options

ERRORS = 3  # standard errors: above the largest class by more, a network has learned
CONSTANT = 1e-6  # of the layer's root mean square: a unit that varies by no more says nothing


def measure(options: Options, data: Prepared, runs: Runs) -> dict[str, pd.DataFrame]:
    """Hidden units of trained networks on at most `options.batch` test images, evenly spread over the test part.

    Table `units`, a row for each run and hidden layer (1 is the first): the run's axes; `val_accuracy` and `learned`,
    whether that is `clearly_above` the share of the largest class; and over images and units
    `saturated`, the fraction with |f'| < 0.01, as in the probe gradient_flow; `dead`, the fraction of units whose
    output is the same on all images to 1e-6 of the layer's root mean square; `mean` and `std` of the outputs.
    Raises `UserError` for a study without an axis `activation`.
    """
    if "activation" not in runs.axes:
        raise UserError(f"unit_health: the study's axes are {', '.join(runs.axes)}, expected activation among them")
    rows = []
    for run in runs:
        images, _ = test_images(options.batch, data, run)
        layers = hidden_layers(run.model, registry.load("activation", run.axes["activation"]), images)
        what = run.axes | _learning(run, data)
        rows += [what | {"layer": n} | _summary(*layer) for n, layer in enumerate(layers, start=1)]
    return {"units": runs.table(rows, "val_accuracy", "learned", "layer", "saturated", "dead", "mean", "std")}


@torch.no_grad()
def _learning(run: Run, data: Prepared) -> dict[str, Any]:
    val = task_of(run, data).val
    parts = [(run.model(images).argmax(1) == labels, labels) for images, labels in val.in_order(BATCH, torch.float32)]
    right, labels = map(torch.cat, zip(*parts, strict=True))
    accuracy, share = right.double().mean().item(), labels.bincount().max().item() / len(labels)
    return {"val_accuracy": accuracy, "learned": clearly_above(accuracy, share, len(labels))}


def clearly_above(accuracy: float, share: float, images: int) -> bool:
    """Whether an accuracy on so many images is above the `share` of the largest class by more than 3 of the standard
    errors of such a share.
    """
    return accuracy > share + ERRORS * (share * (1 - share) / images) ** 0.5


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
