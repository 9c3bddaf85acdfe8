"""ResNet-18 after five epochs: ours, by the loop of `phase2 train`, beside a twin of torch.nn's layers in a plain loop
with torchvision's transforms, torch's SGD and torch's cosine. One recipe, three seeds each, Fashion-MNIST at 14 pixels.

Claim: the mean test accuracies are equal within the 95% interval of their difference (Student).
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy
from torch.utils.data import DataLoader

from phase2.bench import Measured, load_measurement, prepare_apart, torch_threads
from phase2.data.prepared import Prepared, open_prepared
from phase2.data.splits import split
from phase2.data.statistics import channel_statistics
from phase2.source import ROOT
from phase2.task.images import open_images
from phase2.train.loop import train_pack
from phase2.train.recipe import Lane, Recipe

training = load_measurement(ROOT / "benchmarks" / "training.py")
LR, DECAY, MOMENTUM, BATCH = 0.05, 5e-4, 0.9, 128


@dataclass(frozen=True)
class Sizes:
    dataset: str
    side: int
    train: int  # images, of which some are validated on
    validation: int
    epochs: int
    seeds: int


FULL = Sizes(dataset="fashion_mnist", side=14, train=10_000, validation=500, epochs=5, seeds=3)
TINY = Sizes(dataset="digits", side=8, train=40, validation=8, epochs=1, seeds=2)


def measure(sizes: Sizes) -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder, torch_threads(training.THREADS):
        data = _smaller(open_prepared(prepare_apart(sizes.dataset, Path(folder))), sizes)
        mine = [_ours(data, sizes, seed) for seed in range(sizes.seeds)]
        theirs = [_twins(data, sizes, seed) for seed in range(sizes.seeds)]
    spread = np.sqrt((np.var(mine, ddof=1) + np.var(theirs, ddof=1)) / sizes.seeds)
    half_width = student.ppf(0.975, 2 * (sizes.seeds - 1)) * spread
    distance = abs(np.mean(mine) - np.mean(theirs)) / max(half_width, np.finfo(float).tiny)
    name = f"ResNet-18 after {sizes.epochs} epochs"
    return [
        Measured(f"{name}: from the twin's accuracy, in half-widths of the interval", [float(distance)], "x", 1.0),
        Measured(f"{name}: test accuracy, ours", mine, "%", 80, at_least=True),
        Measured(f"{name}: test accuracy, the twin", theirs, "%", 80, at_least=True),
    ]


def _smaller(data: Prepared, sizes: Sizes) -> Prepared:
    """The data with images averaged to fewer pixels a side, of the training part the first so many."""
    arrays = dict(data.arrays)
    for part, count in (("train", sizes.train), ("test", None)):
        images = torch.from_numpy(data.arrays[f"{part}_images"][:count]).float()
        arrays[f"{part}_images"] = adaptive_avg_pool2d(images, sizes.side).round().byte().numpy()
        arrays[f"{part}_labels"] = data.arrays[f"{part}_labels"][:count]
    return Prepared(data.folder, arrays, data.meta)


def _ours(data: Prepared, sizes: Sizes, seed: int) -> float:
    task = open_images(data, validation=sizes.validation, train=None, device=training.CPU, augment="crop_flip")
    options = {"depth": 18, "norm": "batch", "backend": "fused"}
    momentum = {"momentum": MOMENTUM}
    recipe = Recipe("resnet", options, "sgd", BATCH, sizes.epochs, seed, momentum, channels_last=True)
    with tempfile.TemporaryDirectory() as work:
        (result,) = train_pack(recipe, [Lane("kaiming", "cosine", LR, DECAY)], task, Path(work), device=training.CPU)
    assert result.final is not None
    return 100 * result.final["test_accuracy"]


def _twins(data: Prepared, sizes: Sizes, seed: int) -> float:
    torch.manual_seed(seed)
    arrays: dict[str, Any] = {name: np.array(values) for name, values in data.arrays.items()}
    index, _ = split(arrays["train_labels"], sizes.validation)
    images, labels = arrays["train_images"][index], arrays["train_labels"][index]
    mean, std = channel_statistics(images)
    model = training.plain_network(training.RESNET18, len(mean))
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    loader = DataLoader(training.Pictures(images, labels, mean, std), BATCH, shuffle=True, num_workers=training.WORKERS)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, sizes.epochs * len(loader))
    for _ in range(sizes.epochs):
        for inputs, targets in loader:
            optimizer.zero_grad()
            cross_entropy(model(inputs), targets).backward()
            optimizer.step()
            schedule.step()
    shown = (torch.from_numpy(arrays["test_images"]).float() / 255 - _channels(mean)) / _channels(std)
    with torch.no_grad():
        answers = torch.cat([model.eval()(some).argmax(1) for some in shown.split(500)])
    return 100 * (answers == torch.from_numpy(arrays["test_labels"])).double().mean().item()


def _channels(values: list[float]) -> Tensor:
    return torch.tensor(values).reshape(-1, 1, 1)
