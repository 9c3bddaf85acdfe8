"""ResNet-20 with the fused backend: training in channels-last against torch's default layout, with threads one and two.

Claim: at least 1.5 times the images per second. A step is forward, loss, backward and update of 128 images of
3x32x32, in float32; all layers are ours, convolutions by torch's kernels.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import Identity

from phase2.bench import Measured, interleaved, torch_threads
from phase2.models.cifar_resnet import CifarResNet
from phase2.nn import cross_entropy
from phase2.optim import SGD

SHAPE = (3, 32, 32)
CLASSES = 10
WARM_UP = 2


@dataclass(frozen=True)
class Sizes:
    batch: int
    repeats: int


FULL = Sizes(batch=128, repeats=9)
TINY = Sizes(batch=2, repeats=1)


def measure(sizes: Sizes) -> list[Measured]:
    return [_figure(threads, sizes) for threads in (1, 2)]


def _figure(threads: int, sizes: Sizes) -> Measured:
    with torch_threads(threads):
        timers = [_timer(channels_last, sizes.batch) for channels_last in (True, False)]
        channels_last, default = interleaved(sizes.repeats, *timers)
    ratios = [slow / fast for fast, slow in zip(channels_last, default, strict=True)]
    return Measured(f"ResNet-20 training, channels-last, {threads} thread(s)", ratios, "x", 1.5, at_least=True)


def _timer(channels_last: bool, batch: int) -> Callable[[], float]:
    """A function that returns the seconds of a training step."""
    torch.manual_seed(0)
    model = CifarResNet(SHAPE, CLASSES, 20, backend="fused")
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    else:
        model.layout = Identity()
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    images, targets = torch.randn(batch, *SHAPE), torch.randint(CLASSES, (batch,))

    def step() -> float:
        began = time.perf_counter()
        optimizer.zero_grad()
        cross_entropy(model(images), targets).backward()
        optimizer.step()
        return time.perf_counter() - began

    for _ in range(WARM_UP):
        step()
    return step
