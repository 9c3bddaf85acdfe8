"""Layer-sequential unit-variance initialization. Mishkin & Matas 2016, algorithm 1."""

import math

import torch
from torch import Generator, Tensor
from torch.nn import Module

from phase2.errors import UserError
from phase2.nn.init import linear_layers, orthogonal

TOLERANCE = 0.02  # on the variance
MAX_ITERATIONS = 20


def _output_variances(model: Module, batch: Tensor) -> dict[str, float]:
    """Variance of each Linear layer's output over rows and units, by name, in the forward's order."""
    variances: dict[str, float] = {}

    def record(name: str):
        def hook(module: Module, inputs: tuple, output: Tensor) -> None:
            variances[name] = output.double().var(correction=0).item()

        return hook

    hooks = [layer.register_forward_hook(record(name)) for name, layer in linear_layers(model)]
    try:
        model(batch)
    finally:
        for hook in hooks:
            hook.remove()
    return variances


@torch.no_grad()
def lsuv(model: Module, *, generator: Generator, batch: Tensor) -> dict[str, float]:
    """Orthonormal weights, then each layer in turn scaled until its output on `batch` has variance 1.

    `batch` is what the model's forward takes, such as (batch, features). Returns `variance.<layer>` for
    each Linear layer as it was left, and `unconverged`: how many are 0.02 or more from 1 after 20 scalings.
    Raises `UserError` if a layer's output is constant or not finite: no scale mends that.
    """
    orthogonal(model, generator=generator, batch=batch)
    weights = {name: layer.weight for name, layer in linear_layers(model)}
    measured: dict[str, float] = {}
    for name in _output_variances(model, batch):
        for iteration in range(MAX_ITERATIONS + 1):
            variance = _output_variances(model, batch)[name]
            if not (math.isfinite(variance) and variance > 0):
                raise UserError(
                    f"lsuv: output of layer {name!r} has variance {variance} on a batch of shape "
                    f"{tuple(batch.shape)}: give a batch of more than one distinct, finite row"
                )
            if abs(variance - 1) < TOLERANCE or iteration == MAX_ITERATIONS:
                break
            weights[name].div_(math.sqrt(variance))
        measured[f"variance.{name}"] = variance
    unconverged = sum(abs(variance - 1) >= TOLERANCE for variance in measured.values())
    return {**measured, "unconverged": float(unconverged)}
