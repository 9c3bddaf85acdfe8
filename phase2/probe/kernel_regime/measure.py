"""The kernel regime: networks of growing width against their infinitely wide limit, before and after training.

In the tangent kernel's parameterization a step of gradient descent moves a network's outputs by -η Θ (f - y), to first
order in η (Jacot et al. 2018). As the width grows, Θ at initialization comes to a deterministic limit, from a distance
of order 1/√width, and training leaves it where it was: Lee et al. 2019 prove that it moves by O(1/√width), Dyer and
Gur-Ari 2020 and Huang and Yau 2020 find 1/width. Training is then that of the linearization at the initial weights.
"""

from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.func import functional_call, vjp
from torch.nn import Module, Sequential

from phase2.data.prepared import Prepared
from phase2.models.ntk_mlp import NTKMLP
from phase2.probe.hessian import top_eigenvalues
from phase2.probe.images import images_of
from phase2.probe.kernel_regime.card import Options
from phase2.probe.kernel_regime.infinite_width import kernels, regress
from phase2.probe.kernel_regime.ntk import derivative, empirical_ntk
from phase2.task.order import epoch_order
from phase2.task.seeding import generator
from phase2.task.task import Split, Task

IMAGES = 32  # training images on which the kernels of all networks are compared
POINTS = 20  # recorded steps of a training, about

Weights = dict[str, Tensor]
Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Problem:
    """Images (n, features) of squared norm `features`, and centred one-hot targets (n, classes)."""

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor


def measure(options: Options, data: Prepared) -> dict[str, pd.DataFrame]:
    """Trains networks of every width, and their linearizations, by full-batch gradient descent on the squared error.

    A seed draws the training images and all weights. Outputs are counted from those at the start, so that all begin at
    0, as kernel regression does. The networks of a seed and an activation have one rate: 1 / the largest eigenvalue
    of their tangent kernels on the training images. A network's own kernels are those of its first output. Returns
    - `convergence`: activation, width, seed, ntk_error, nngp_error: relative Frobenius distances from the limits, on
      32 training images, of the tangent kernel at initialization and of the covariance (NNGP) of the last hidden layer;
    - `linearized`: activation, width, seed, step, network_loss, linearized_loss (squared error, mean over training
      images and outputs), distance (of the two's test outputs, relative to the network's, in rms);
    - `drift`: activation, width, seed, drift: relative Frobenius distance of the tangent kernel after training from
      that before, on the 32 images;
    - `regression`: method, activation, seed, test_accuracy, test_mse of the widest `network` and its `linearized` form
      after the last step, and of kernel regression: with the network's own tangent kernel at initialization
      (`ntk_empirical`), and with the limits (`ntk_infinite`, `nngp_infinite`).
    """
    parts = images_of(data)
    rows: Rows = {"convergence": [], "linearized": [], "drift": [], "regression": []}
    for seed, activation in product(options.seeds, options.activations):
        _measure(rows, _task(parts, options, seed), options, activation, seed)
    return {name: pd.DataFrame(table) for name, table in rows.items()}


def _task(parts: Task, options: Options, seed: int) -> Problem:
    """The seed's training images, and the first test images."""

    def read(part: Split, rows: Tensor) -> tuple[Tensor, Tensor]:
        images, labels = part.batch(rows, torch.float32)
        x = images.flatten(1)
        y = torch.eye(parts.outputs)[labels] - 1 / parts.outputs
        return x * part.features**0.5 / x.norm(dim=1, keepdim=True), y

    train = read(parts.train, epoch_order(len(parts.train), seed, 0)[: options.train])
    return Problem(*train, *read(parts.test, torch.arange(min(options.test, len(parts.test)))))


def _network(task: Problem, options: Options, width: int, activation: str, seed: int) -> NTKMLP:
    model = NTKMLP(task.x.shape[1], task.y.shape[1], width, options.depth, activation)
    model.reset(generator(seed, "init"))
    return model


def _measure(rows: Rows, task: Problem, options: Options, activation: str, seed: int) -> None:
    """Adds what one seed says of the networks of one activation."""
    few = task.x[:IMAGES]
    limits = kernels(few, few, options.depth, activation)
    networks = {width: _network(task, options, width, activation, seed) for width in sorted(options.widths)}
    lr = 1 / max(largest_eigenvalue(model, task.x) for model in networks.values())
    for width, model in networks.items():
        place = {"activation": activation, "width": width, "seed": seed}
        start = _kernel(model, options, few)
        measured = _kernel(readout(model), options, few), start
        nngp, ntk = (_distance(*pair) for pair in zip(measured, limits, strict=True))
        rows["convergence"].append(place | {"ntk_error": ntk, "nngp_error": nngp})
        curve, outputs = train(model, task, lr, options.steps)
        rows["linearized"] += [place | row for row in curve]
        rows["drift"].append(place | {"drift": _distance(_kernel(model, options, few), start)})
    rows["regression"] += [
        {"method": method, "activation": activation, "seed": seed} | _score(values, task.test_y)
        for method, values in {**outputs, **_regressions(task, options, activation, seed)}.items()
    ]


def _kernel(model: NTKMLP, options: Options, x1: Tensor, x2: Tensor | None = None) -> Tensor:
    """The tangent kernel of the first output: in the limit all outputs have the same, and one is quicker than all."""
    first = Sequential(model, FirstOutput())
    return empirical_ntk(first, x1, x2, memory_mb=options.memory_mb)


def _distance(kernel: Tensor, reference: Tensor) -> float:
    """Relative, in the Frobenius norm."""
    return float((kernel - reference).norm() / reference.norm())


def readout(model: NTKMLP) -> NTKMLP:
    """A copy of which only the last layer can learn: its tangent kernel is a(x)·a(x') σ_w² / width + β², the NNGP
    kernel of the last hidden layer's outputs a.
    """
    frozen = deepcopy(model).requires_grad_(False)
    for parameters in (frozen.weights, frozen.biases):
        parameters[-1].requires_grad_()
    return frozen


def train(model: NTKMLP, task: Problem, lr: float, steps: int) -> tuple[list[dict[str, float]], dict[str, Tensor]]:
    """Gradient descent on ½ Σ (f - f₀ - y)² of the network f and of its linearization f₀ + J (θ - θ₀).

    Returns the rows of the curves (step, network_loss, linearized_loss, distance), and the last test outputs of the
    `network` and of the `linearized`, less those at the start. `model` is left as it was trained.
    """
    weights = _weights(model)
    change = {name: torch.zeros_like(w) for name, w in weights.items()}
    of_train, of_test = (lambda θ, x=x: functional_call(model, θ, (x,)) for x in (task.x, task.test_x))
    f0, push, pull = derivative(of_train, weights)
    test0, push_test, _ = derivative(of_test, weights)
    recorded = {0, *np.geomspace(1, steps, POINTS).round().astype(int)}
    rows = []
    for step in range(steps + 1):
        f, network_pull = vjp(of_train, weights)[:2]
        errors, linear_errors = f - f0 - task.y, push(change) - task.y
        if step in recorded:
            outputs = {"network": of_test(weights) - test0, "linearized": push_test(change)}
            losses = {"network_loss": _mean_square(errors), "linearized_loss": _mean_square(linear_errors)}
            apart = _distance(outputs["linearized"], outputs["network"]) if step else 0.0
            rows.append({"step": step, **losses, "distance": apart})
        if step < steps:
            weights = _step(weights, network_pull(errors)[0], lr)
            change = _step(change, pull(linear_errors), lr)
    model.load_state_dict(weights)
    return rows, outputs


def _weights(model: Module) -> Weights:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def largest_eigenvalue(model: Module, x: Tensor) -> float:
    """Of J Jᵀ, the tangent kernel of all outputs at x (n, features)."""
    f0, push, pull = derivative(lambda θ: functional_call(model, θ, (x,)), _weights(model))
    values, _ = top_eigenvalues(
        lambda u: push(pull(u.view_as(f0))).flatten(), f0.flatten(), 1, torch.Generator().manual_seed(0)
    )
    return float(values[0])


def _step(weights: Weights, gradient: Weights, lr: float) -> Weights:
    return {name: (w - lr * gradient[name]).detach() for name, w in weights.items()}


def _mean_square(errors: Tensor) -> float:
    return float(errors.square().mean())


class FirstOutput(Module):
    def forward(self, outputs: Tensor) -> Tensor:
        return outputs[:, :1]


def _regressions(task: Problem, options: Options, activation: str, seed: int) -> dict[str, Tensor]:
    """The test outputs of regression with three kernels, by method."""
    widest = _network(task, options, max(options.widths), activation, seed)
    nngp, ntk = kernels(task.x, task.x, options.depth, activation)
    test_nngp, test_ntk = kernels(task.test_x, task.x, options.depth, activation)
    own, test_own = _kernel(widest, options, task.x), _kernel(widest, options, task.test_x, task.x)
    return {
        "ntk_empirical": regress(own, test_own, task.y),
        "ntk_infinite": regress(ntk, test_ntk, task.y),
        "nngp_infinite": regress(nngp, test_nngp, task.y),
    }


def _score(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    right = (outputs.argmax(1) == targets.argmax(1)).double().mean()
    return {"test_accuracy": float(right), "test_mse": _mean_square(outputs - targets)}
