"""A two-dimensional loss landscape in lanes against one point at a time: 51 x 51 points, float32, one thread.

Claim: at least 3 times faster, for the multi-layer perceptron of the studies on 500 images of 28 x 28 pixels. One
point at a time means that its weights are written into the network, which is then evaluated as usual.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from phase2.bench import Measured, interleaved, torch_threads
from phase2.models.mlp import MLP
from phase2.nn import cross_entropy
from phase2.probe.plane import Weights, filter_normalized, losses_at, random_direction
from phase2.task.metrics.accuracy import accuracy

PIXELS, CLASSES = 28 * 28, 10
WIDTH, DEPTH = 64, 2


@dataclass(frozen=True)
class Sizes:
    side: int  # points
    images: int
    repeats: int


FULL = Sizes(side=51, images=500, repeats=5)
TINY = Sizes(side=3, images=5, repeats=1)


def measure(sizes: Sizes) -> list[Measured]:
    torch.empty(4 * 2**20)  # 16 MiB, freed at once: from then on malloc keeps pages, as late in a run
    with torch_threads(1):
        return [_figure(sizes)]


def _figure(sizes: Sizes) -> Measured:
    side, images = sizes.side, sizes.images
    generator = torch.Generator().manual_seed(0)
    model = MLP(PIXELS, CLASSES, width=WIDTH, depth=DEPTH).eval()
    batch = torch.randn(images, PIXELS, generator=generator), torch.randint(0, CLASSES, (images,), generator=generator)
    origin = {name: p.detach().clone() for name, p in model.named_parameters()}
    directions = [filter_normalized(random_direction(origin, generator), origin) for _ in range(2)]
    points = torch.cartesian_prod(*[torch.linspace(-1, 1, side)] * 2)
    alone = _timer(lambda: _one_by_one(model, origin, directions, points, *batch))
    lanes = _timer(lambda: losses_at(model, _classification, origin, directions, points, *batch)[0])
    slow, fast = interleaved(sizes.repeats, alone, lanes)
    name = f"{side} x {side} losses, MLP {PIXELS}-{WIDTH}-{WIDTH}-{CLASSES} on {images} images: one by one / in lanes"
    return Measured(name, [s / f for s, f in zip(slow, fast, strict=True)], "x", 3, at_least=True)


def _classification(outputs: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    return cross_entropy(outputs, targets), {"accuracy": accuracy(outputs, targets)}


@torch.no_grad()
def _one_by_one(
    model: MLP, origin: Weights, directions: list[Weights], points: Tensor, inputs: Tensor, targets: Tensor
) -> Tensor:
    losses = []
    for x, y in points.tolist():
        for name, p in model.named_parameters():
            torch.add(origin[name], directions[0][name], alpha=x, out=p.data).add_(directions[1][name], alpha=y)
        losses.append(_classification(model(inputs), targets)[0])
    return torch.stack(losses)


def _timer(losses: Callable[[], Tensor]) -> Callable[[], float]:
    """A function that returns the seconds of one call."""
    losses()

    def seconds() -> float:
        began = time.perf_counter()
        losses()
        return time.perf_counter() - began

    return seconds
