"""One network written four ways and trained on the same minibatches: what differs is rounding, and time."""

import time
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from phase2.data.prepared import Prepared
from phase2.models.manual_mlp import ManualMLP
from phase2.models.mlp import MLP as TorchMLP
from phase2.nn.loss.cross_entropy import cross_entropy
from phase2.probe.four_ways.card import Options
from phase2.probe.images import images_of
from phase2.scratch.mlp import MLP
from phase2.scratch.tape_mlp import TapeMLP
from phase2.task.order import epoch_order, steps_per_epoch
from phase2.task.seeding import generator
from phase2.task.task import Split, Task

POINTS = 100  # losses recorded in a training, about
ROWS = 1000  # test images in a batch


class Network(Protocol):
    """What the four have in common; arrays are NumPy's or torch's."""

    def forward(self, x: Any) -> Any: ...
    def gradients(self, x: Any, targets: Any) -> tuple[float, list[Any]]: ...
    def step(self, x: Any, targets: Any, lr: float) -> float: ...


class AutogradMLP:
    """`phase2.models.mlp.MLP` with torch's autograd, in the form of the other three."""

    def __init__(self, model: TorchMLP) -> None:
        self.forward = torch.no_grad()(model.forward)
        self.model = model

    def gradients(self, x: Tensor, targets: Tensor) -> tuple[float, list[Tensor]]:
        loss = cross_entropy(self.model(x), targets)
        return loss.item(), list(torch.autograd.grad(loss, list(self.model.parameters())))

    def step(self, x: Tensor, targets: Tensor, lr: float) -> float:
        loss, gradients = self.gradients(x, targets)
        with torch.no_grad():
            for parameter, gradient in zip(self.model.parameters(), gradients, strict=True):
                parameter.sub_(gradient, alpha=lr)
        return loss


def measure(options: Options, data: Prepared) -> dict[str, pd.DataFrame]:
    """Trains the four implementations from the same weights on the same minibatches, in float32, by plain SGD.

    Returns
    - `curves`: implementation, seed, step (from 0), loss (of that step's minibatch before the step, in nats);
    - `results`: implementation, seed, test_accuracy (a fraction), seconds (of all steps, which the four take in
      turn), max_gradient_difference (largest absolute one from NumPy by hand, at step 0 in float64).
    """
    parts = images_of(data, options.train)
    sizes = (parts.train.features, *[options.width] * options.depth, parts.outputs)
    curves, results = [], []
    for seed in options.seeds:
        start = next(_batches(parts.train, options, seed, torch.float64))
        differences = _gradient_differences(four_networks(sizes, seed, np.float64), *start)
        networks = four_networks(sizes, seed, np.float32)
        recorded, seconds = _train(networks, parts.train, options, seed)
        curves += recorded
        for name, network in networks.items():
            row = {"implementation": name, "seed": seed, "test_accuracy": _accuracy(network, parts)}
            results.append(row | {"seconds": seconds[name], "max_gradient_difference": differences[name]})
    return {"curves": pd.DataFrame(curves), "results": pd.DataFrame(results)}


def four_networks(sizes: tuple[int, ...], seed: int, dtype: Any) -> dict[str, Network]:
    """The four by name, with equal weights drawn from the seed's stream; `sizes` is (inputs, width, ..., classes)."""
    draw = generator(seed, "init").initial_seed()
    by_hand = MLP(sizes, np.random.default_rng(draw), dtype)
    weights = [torch.from_numpy(parameter) for parameter in by_hand.parameters]
    model = TorchMLP(sizes[0], sizes[-1], width=sizes[1], depth=len(sizes) - 2).to(weights[0].dtype)
    with torch.no_grad():
        for parameter, weight in zip(model.parameters(), weights, strict=True):
            parameter.copy_(weight)
    return {
        "numpy": by_hand,
        "tape": TapeMLP(sizes, np.random.default_rng(draw), dtype),
        "torch": ManualMLP(weights),
        "autograd": AutogradMLP(model),
    }


def _batches(part: Split, options: Options, seed: int, dtype: torch.dtype) -> Iterator[tuple[Tensor, Tensor]]:
    """Images (batch, features) and labels (batch,) of all epochs, as this seed visits them."""
    for epoch in range(options.epochs):
        for rows in epoch_order(len(part), seed, epoch).split(options.batch_size):
            images, labels = part.batch(rows, dtype)
            yield images.flatten(1), labels


def _for(network: Network, *tensors: Tensor) -> tuple[Any, ...]:
    """The tensors as the network takes them."""
    return tuple(tensor.numpy() for tensor in tensors) if isinstance(network, MLP) else tensors


def _train(
    networks: dict[str, Network], part: Split, options: Options, seed: int
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """The rows of `curves`, and each network's seconds; the networks are trained in place."""
    every = max(1, options.epochs * steps_per_epoch(len(part), options.batch_size) // POINTS)
    rows, seconds = [], dict.fromkeys(networks, 0.0)
    for step, (images, labels) in enumerate(_batches(part, options, seed, torch.float32)):
        for name, network in networks.items():
            x, targets = _for(network, images, labels)
            began = time.perf_counter()
            loss = network.step(x, targets, options.lr)
            seconds[name] += time.perf_counter() - began
            if step % every == 0:
                rows.append({"implementation": name, "seed": seed, "step": step, "loss": loss})
    return rows, seconds


def _gradient_differences(networks: dict[str, Network], images: Tensor, labels: Tensor) -> dict[str, float]:
    """The largest absolute difference of any parameter's gradient from that of NumPy by hand."""
    gradients = {name: network.gradients(*_for(network, images, labels))[1] for name, network in networks.items()}
    return {
        name: max(float(np.abs(np.asarray(g) - h).max()) for g, h in zip(own, gradients["numpy"], strict=True))
        for name, own in gradients.items()
    }


def _accuracy(network: Network, parts: Task) -> float:
    correct = 0
    for images, labels in parts.test.in_order(ROWS, torch.float32):
        (x,) = _for(network, images.flatten(1))
        correct += int((np.asarray(network.forward(x)).argmax(1) == labels.numpy()).sum())
    return correct / len(parts.test)
