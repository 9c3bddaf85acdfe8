"""The MLP in NumPy, by hand and with the tape, against torch eager: one training step of 784-128-128-10 on one thread.

Claim: by hand at most 1.2 times torch's time, with the tape at most 2.5 times (batch 128, float32, Fashion-MNIST);
by hand 88% on Fashion-MNIST's test set within a minute, by 8 epochs of a recipe fixed in advance.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from phase2.bench import Measured, interleaved, prepare_apart, torch_threads
from phase2.data.prepared import open_prepared
from phase2.data.statistics import channel_statistics
from phase2.scratch.mlp import MLP
from phase2.scratch.tape_mlp import TapeMLP

BATCH, LR = 128, 0.1


@dataclass(frozen=True)
class Sizes:
    dataset: str
    units: tuple[int, ...]  # of each layer, the input's pixels first
    repeats: int
    steps: int  # timed together in a repetition
    trainings: int


FULL = Sizes(dataset="fashion_mnist", units=(784, 128, 128, 10), repeats=15, steps=60, trainings=3)
TINY = Sizes(dataset="digits", units=(64, 8, 8, 10), repeats=1, steps=1, trainings=1)


def measure(sizes: Sizes) -> list[Measured]:
    with torch_threads(1), threadpool_limits(1):
        train, test = _images(sizes.dataset)
        by_hand, tape = _ratios(train[0][:BATCH], train[1][:BATCH], sizes)
        trainings = [_training(train, test, sizes.units, seed) for seed in range(sizes.trainings)]
    accuracies, seconds = zip(*trainings, strict=True)
    return [
        Measured("NumPy MLP step by hand against torch eager", by_hand, "x", 1.2),
        Measured("NumPy MLP step with the tape against torch eager", tape, "x", 2.5),
        Measured("NumPy MLP on Fashion-MNIST, test accuracy", list(accuracies), "%", 88, at_least=True),
        Measured("NumPy MLP on Fashion-MNIST, training", list(seconds), "s", 60),
    ]


def _images(dataset: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Standardised images (n, pixels) and labels (n,) for training and for testing."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = open_prepared(prepare_apart(dataset, Path(folder)))
        mean, std = (np.float32(values[0]) for values in channel_statistics(prepared.arrays["train_images"]))
        parts = []
        for part in ("train", "test"):
            images, labels = (prepared.arrays[f"{part}_{kind}"] for kind in ("images", "labels"))
            x = (images.reshape(len(images), -1).astype(np.float32) / 255 - mean) / std
            parts.append((x, np.array(labels)))
    return parts


def _ratios(x: np.ndarray, targets: np.ndarray, sizes: Sizes) -> list[list[float]]:
    """Each implementation's time over torch's, by repetition."""
    by_hand, tape = (kind(sizes.units, np.random.default_rng(0)) for kind in (MLP, TapeMLP))
    steps = [
        lambda: by_hand.step(x, targets, LR),
        lambda: tape.step(x, targets, LR),
        _torch_step(torch.from_numpy(x), torch.from_numpy(targets), sizes.units),
    ]
    timers = [lambda step=step: _seconds(step, sizes.steps) for step in steps]
    interleaved(1, *timers)  # warm-up
    *ours, theirs = interleaved(sizes.repeats, *timers)
    return [[own / other for own, other in zip(values, theirs, strict=True)] for values in ours]


def _torch_step(x: torch.Tensor, targets: torch.Tensor, units: tuple[int, ...]) -> Callable[[], float]:
    fan_in, first, second, classes = units
    network = torch.nn.Sequential(
        torch.nn.Linear(fan_in, first),
        torch.nn.ReLU(),
        torch.nn.Linear(first, second),
        torch.nn.ReLU(),
        torch.nn.Linear(second, classes),
    )
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=LR)

    def step() -> float:
        optimizer.zero_grad()
        loss = criterion(network(x), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _seconds(step: Callable[[], float], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        step()
    return time.perf_counter() - began


def _training(
    train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], units: tuple[int, ...], seed: int
) -> tuple[float, float]:
    """Test accuracy in percent after training, and the seconds that training took."""
    rng = np.random.default_rng(seed)
    began = time.perf_counter()
    network = MLP(units, rng)
    network.train(*train, epochs=6, batch_size=64, lr=0.1, rng=rng)
    network.train(*train, epochs=2, batch_size=64, lr=0.01, rng=rng)
    seconds = time.perf_counter() - began
    x, labels = test
    return 100 * float((network.forward(x).argmax(1) == labels).mean()), seconds
