"""Images a second in training, ours beside a plain loop as users write it: PIL images through torchvision's transforms
and a DataLoader with two workers, torch.nn's layers, torch's SGD, float32 and the default layout. Two threads each.

Claim: in float32 at least 1.3 times as many, in bfloat16 at least twice as many where the processor computes in it. An
epoch is timed, loading included: crop and flip, forward, loss, backward, step. Ours is the loop of `phase2 train`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad, relu
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from phase2.bench import Measured, interleaved, torch_threads
from phase2.data.prepared import Prepared
from phase2.task.images import open_images
from phase2.task.order import epoch_order
from phase2.train.loop import Training
from phase2.train.precision import computes_in_bfloat16
from phase2.train.recipe import Lane, Recipe

THREADS = WORKERS = 2
CPU = torch.device("cpu")
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
BOUNDS = {"fp32": 1.3, "bf16": 2.0}


@dataclass(frozen=True)
class Network:
    """The name and options of ours, and of the plain one its widths, blocks a stage, and whether shortcuts project."""

    model: str
    depth: int
    widths: tuple[int, ...]
    blocks: int
    projects: bool


RESNET20 = Network("cifar_resnet", 20, (16, 32, 64), 3, projects=False)
RESNET18 = Network("resnet", 18, (64, 128, 256, 512), 2, projects=True)


@dataclass(frozen=True)
class Sizes:
    networks: dict[str, tuple[Network, int]]  # with the images of an epoch
    batch: int
    repeats: int


FULL = Sizes({"ResNet-20": (RESNET20, 4096), "ResNet-18": (RESNET18, 512)}, batch=128, repeats=5)
TINY = Sizes({"ResNet-20": (RESNET20, 8)}, batch=4, repeats=1)


def measure(sizes: Sizes) -> list[Measured]:
    with torch_threads(THREADS):
        return [
            figure
            for name, (network, images) in sizes.networks.items()
            for figure in _figures(name, network, pictures(images), sizes)
        ]


def _figures(name: str, network: Network, images: np.ndarray, sizes: Sizes) -> list[Measured]:
    precisions = ["fp32", *(["bf16"] if computes_in_bfloat16() else [])]
    loops = [plain_loop(network, images, sizes.batch)]
    lane = Lane("kaiming", "constant", 0.1, 5e-4)
    recipes = [recipe_of(network, precision, sizes) for precision in precisions]
    loops += [our_loop(recipe, lane, images, augment="crop_flip") for recipe in recipes]
    for loop in loops:
        loop()  # warms up
    plain, *ours = interleaved(sizes.repeats, *loops)
    return [
        Measured(
            f"{name}: images a second, {precision}, beside a plain loop's in fp32",
            [slow / fast for slow, fast in zip(plain, seconds, strict=True)],
            *("x", BOUNDS[precision]),
            at_least=True,
        )
        for precision, seconds in zip(precisions, ours, strict=True)
    ]


def pictures(count: int) -> np.ndarray:
    """Random images (count, 3, 32, 32) of uint8."""
    return np.random.default_rng(0).integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)


def labels_of(images: np.ndarray) -> np.ndarray:
    return np.arange(len(images)) % 10


def recipe_of(network: Network, precision: str, sizes: Sizes) -> Recipe:
    options = {"depth": network.depth, "norm": "batch", "backend": "fused"}
    momentum = {"momentum": 0.9}
    return Recipe(
        network.model,
        options,
        "sgd",
        sizes.batch,
        sizes.repeats + 1,
        0,
        momentum,
        precision=precision,
        channels_last=True,
    )


def our_loop(recipe: Recipe, lane: Lane, images: np.ndarray, **settings: Any) -> Callable[[], float]:
    """A function that trains for an epoch and returns its seconds; `settings` are the task's."""
    arrays = {f"{part}_images": images for part in ("train", "test")}
    arrays |= {f"{part}_labels": labels_of(images) for part in ("train", "test")}
    prepared = Prepared(Path(), arrays, {"classes": [*range(10)]})
    task = open_images(prepared, validation=0, train=None, device=CPU, **settings)
    training = Training(recipe, [lane], task, CPU, torch.float32)

    def epoch() -> float:
        began = time.perf_counter()
        order = epoch_order(len(task.train), recipe.seed, training.state.epoch)
        for rows in order.split(recipe.batch_size):
            training.step(rows)
        training.state.epoch += 1
        return time.perf_counter() - began

    return epoch


class Pictures(Dataset):
    """Images (n, channels, side, side) of uint8 as torchvision's data sets give them: PIL images, and their labels.

    `mean` and `std` are of each channel, of images / 255.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, mean: Sequence[float], std: Sequence[float]) -> None:
        self.images, self.labels = images.transpose(0, 2, 3, 1), labels
        cropped = [transforms.RandomCrop(images.shape[-1], padding=4), transforms.RandomHorizontalFlip()]
        self.transform = transforms.Compose([*cropped, transforms.ToTensor(), transforms.Normalize(mean, std)])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        pixels = self.images[place]
        return self.transform(Image.fromarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0])), int(
            self.labels[place]
        )


class Block(nn.Module):
    """Two convolutions and a shortcut, which projects, or fills up with zeros, where the shape changes."""

    def __init__(self, inputs: int, outputs: int, projects: bool) -> None:
        super().__init__()
        self.stride = 2 if inputs < outputs else 1
        self.conv1 = nn.Conv2d(inputs, outputs, 3, self.stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.more = outputs - inputs
        self.project: nn.Module | None = None
        if projects and self.more:
            self.project = nn.Sequential(nn.Conv2d(inputs, outputs, 1, 2, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        if self.project is not None:
            x = self.project(x)
        elif self.more:
            x = pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.more))
        return relu(y + x)


def plain_network(network: Network, channels: int = 3) -> nn.Module:
    """The same network of torch's layers."""
    first = network.widths[0]
    layers: list[nn.Module] = [nn.Conv2d(channels, first, 3, 1, 1, bias=False), nn.BatchNorm2d(first), nn.ReLU()]
    for before, width in zip((first, *network.widths), network.widths, strict=False):
        inputs = [before, *[width] * (network.blocks - 1)]
        layers += [Block(channels, width, network.projects) for channels in inputs]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(network.widths[-1], 10))


def plain_loop(network: Network, images: np.ndarray, batch: int) -> Callable[[], float]:
    """A function that trains for an epoch and returns its seconds."""
    model = plain_network(network)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    loader = DataLoader(
        Pictures(images, labels_of(images), MEAN, STD),
        batch,
        shuffle=True,
        num_workers=WORKERS,
        persistent_workers=True,
    )

    def epoch() -> float:
        began, total = time.perf_counter(), 0.0
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = cross_entropy(model(inputs), targets)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return time.perf_counter() - began

    return epoch
