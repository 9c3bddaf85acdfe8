"""What initialization does to the signal: activations and gradients layer by layer, before any training."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from phase2 import registry
from phase2.data.prepared import Prepared
from phase2.models.mlp import MLP
from phase2.nn import cross_entropy
from phase2.probe.gradient_flow.card import SATURATION, Options
from phase2.probe.images import images_of
from phase2.probe.slope import slope
from phase2.task.order import epoch_order
from phase2.task.seeding import generator
from phase2.task.task import Task

LAYERS_SHOWN = 5  # of which histograms are kept, from the first to the last
EDGES = np.arange(-40, 41) / 10  # of bins, in units of the values' root mean square


@dataclass(frozen=True)
class Signal:
    """One hidden layer on one minibatch, each (batch, units), and its incoming weights' gradient."""

    h: Tensor  # f(z)
    slope: Tensor  # f'(z)
    gradient: Tensor  # of each row's own loss, by h
    weight_gradient: Tensor  # of the mean loss, by W (units, inputs)


def measure(options: Options, data: Prepared) -> dict[str, pd.DataFrame]:
    """Signals through an MLP of `depth` layers of `width` units at initialization, on its seed's first minibatch.

    In float64, so that what float32 would lose is seen.

    Table `layers`, a row a hidden layer (1 is the first) of each activation, init and seed, over rows and units:
    `activation_mean`, `activation_std`; `saturated`, the fraction with |f'| < 0.01; `dead`, the fraction of units
    with that on every row (for ReLU: silent units); `gradient_norm`, root mean square of the gradient of each
    row's own loss by the activation; `weight_gradient_norm`, Frobenius norm of the mean loss's. NaN: overflow.

    Table `histograms`, of the first seed and five layers: for each `kind` (activation, gradient) the `rms` of the
    values, and the `density` of value / rms from `bin_left` to `bin_right`. Exact zeros and what is beyond 4 rms are
    in no bin, and the density integrates to less than 1 by their share.
    """
    parts = images_of(data)
    layers, histograms = [], []
    for seed, activation, init in product(options.seeds, options.activations, options.inits):
        images, labels = _minibatch(parts, seed, options.batch)
        model = MLP(parts.train.features, parts.outputs, options.width, options.depth, activation).to(images.dtype)
        registry.load("init", init)(model, generator=generator(seed, "init"), batch=images)
        signals = propagate(model, images, labels)
        names = {"activation": activation, "init": init}
        layers += [{**names, "seed": seed, "layer": l, **_summary(s)} for l, s in enumerate(signals, start=1)]
        if seed == options.seeds[0]:
            histograms += [table.assign(**names, seed=seed) for table in _histograms(signals)]
    columns = ["activation", "init", "seed", "layer", "kind", "rms", "bin_left", "bin_right", "density"]
    return {"layers": pd.DataFrame(layers), "histograms": pd.concat(histograms, ignore_index=True)[columns]}


def _minibatch(parts: Task, seed: int, size: int) -> tuple[Tensor, Tensor]:
    return parts.train.batch(epoch_order(len(parts.train), seed, 0)[:size], torch.float64)


def propagate(model: MLP, images: Tensor, labels: Tensor) -> list[Signal]:
    """The signal at each hidden layer: images (batch, *), labels (batch,)."""
    x, passed = images.flatten(1), []
    for linear, activation in zip(model.layers[:-1:2], model.layers[1::2], strict=True):
        z = linear(x)
        x = activation(z)
        passed.append((linear.weight, x, slope(activation, z)))
    loss = cross_entropy(model.layers[-1](x), labels, reduction="sum")
    weights, outputs, slopes = zip(*passed, strict=True)
    gradients = torch.autograd.grad(loss, [*outputs, *weights])
    by_output, by_weight = gradients[: len(outputs)], gradients[len(outputs) :]
    return [
        Signal(h.detach(), slope, G, G_W / len(labels))
        for h, slope, G, G_W in zip(outputs, slopes, by_output, by_weight, strict=True)
    ]


def _summary(signal: Signal) -> dict[str, float]:
    flat = signal.slope.abs() < SATURATION
    mean = signal.h.mean()
    return {
        "activation_mean": mean.item() if mean.isfinite() else np.nan,
        "activation_std": _rms(signal.h - mean),
        "saturated": flat.double().mean().item(),
        "dead": flat.all(0).double().mean().item(),
        "gradient_norm": _rms(signal.gradient),
        "weight_gradient_norm": _rms(signal.weight_gradient) * signal.weight_gradient.numel() ** 0.5,
    }


def _rms(x: Tensor) -> float:
    """Root mean square, by the largest value first: no square overflows or vanishes. NaN if x is not finite."""
    largest = x.abs().max()
    return 0.0 if largest == 0 else (largest * (x / largest).square().mean().sqrt()).item()


def _histograms(signals: list[Signal]) -> list[pd.DataFrame]:
    shown = np.unique(np.linspace(1, len(signals), LAYERS_SHOWN).round().astype(int))
    return [
        _histogram(values).assign(layer=layer, kind=kind)
        for layer in shown
        for kind, values in (("activation", signals[layer - 1].h), ("gradient", signals[layer - 1].gradient))
    ]


def _histogram(values: Tensor) -> pd.DataFrame:
    """Density of the values that are not 0, in units of their rms; 0 everywhere if all are 0 or one overflowed."""
    rms = _rms(values)
    relative = values[values != 0].numpy() / rms
    count, _ = np.histogram(relative, EDGES)
    density = count / (values.numel() * np.diff(EDGES))
    return pd.DataFrame({"rms": rms, "bin_left": EDGES[:-1], "bin_right": EDGES[1:], "density": density})
