"""Layer-sequential unit-variance initialization. Mishkin & Matas 2016, algorithm 1."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import Module

from phase2.card import Card
from phase2.errors import UserError
from phase2.nn.initial.orthogonal import orthogonal
from phase2.nn.initial.recipe import weighted_layers

CARD = Card(
    "init",
    "lsuv",
    label="LSUV",
    definition=(
        "orthonormal, then each layer in turn scaled until the variance of its output on a batch is within 0.02 of 1"
    ),
    cites="mishkin2016",
    order=5,
)

TOLERANCE = 0.02  # on the variance
MAX_ITERATIONS = 20


class Measurement(NamedTuple):
    """Variance of a layer's output over rows, units and places, after `iteration` scalings of its weights."""

    layer: str
    iteration: int
    variance: float

    @property
    def converged(self) -> bool:
        """Whether the variance is within 0.02 of 1."""
        return abs(self.variance - 1) < TOLERANCE


def lsuv(model: Module, *, generator: Generator, batch: Tensor) -> dict[str, float]:
    """Orthonormal weights, then each layer in turn scaled until its output on `batch` has variance 1.

    `batch` is what the model's forward takes, such as (batch, features). Returns `variance.<layer>` for
    each layer as it was left, and `unconverged`: how many are 0.02 or more from 1 after 20 scalings.
    Raises `UserError` if a layer's output is constant or not finite: no scale mends that.
    """
    orthogonal(model, generator=generator, batch=batch)
    left = {measured.layer: measured for measured in scale_to_unit_variance(model, batch)}
    unconverged = sum(not measured.converged for measured in left.values())
    variances = {f"variance.{name}": measured.variance for name, measured in left.items()}
    return {**variances, "unconverged": float(unconverged)}


@torch.no_grad()
def scale_to_unit_variance(model: Module, batch: Tensor) -> list[Measurement]:
    """Scales each layer in the forward's order to unit output variance; all measurements on the way.

    A layer's output is linear in its weights, so with no bias one scaling does it, up to rounding. Measured in
    evaluation mode: dropout is off, and a BatchNorm keeps its running statistics; fresh ones make it the identity,
    so a layer is scaled for the signal it gets, whatever normalises it in training. Modes are put back.
    """
    weights = {name: layer.weight for name, layer in weighted_layers(model)}
    measurements: list[Measurement] = []
    with _evaluating(model):
        for name in _output_variances(model, batch):
            for iteration in range(MAX_ITERATIONS + 1):
                measured = Measurement(name, iteration, _output_variances(model, batch)[name])
                _check(measured, batch)
                measurements.append(measured)
                if measured.converged or iteration == MAX_ITERATIONS:
                    break
                weights[name].div_(math.sqrt(measured.variance))
    return measurements


@contextmanager
def _evaluating(model: Module) -> Iterator[None]:
    """All modules in evaluation mode, each put back into its own afterwards."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _output_variances(model: Module, batch: Tensor) -> dict[str, float]:
    """Variance of each layer's output over rows, units and places, by name, in the forward's order."""
    variances: dict[str, float] = {}

    def record(name: str):
        def hook(module: Module, inputs: tuple, output: Tensor) -> None:
            variances[name] = output.double().var(correction=0).item()

        return hook

    hooks = [layer.register_forward_hook(record(name)) for name, layer in weighted_layers(model)]
    try:
        model(batch)
    finally:
        for hook in hooks:
            hook.remove()
    return variances


def _check(measured: Measurement, batch: Tensor) -> None:
    if not (math.isfinite(measured.variance) and measured.variance > 0):
        raise UserError(
            f"lsuv: output of layer {measured.layer!r} has variance {measured.variance} on a batch of shape "
            f"{tuple(batch.shape)}: give a batch of more than one distinct, finite row"
        )
