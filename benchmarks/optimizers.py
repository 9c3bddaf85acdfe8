"""Our optimizers' step against torch.optim's foreach step, on the parameters of ResNet-18: one thread, float32.

Claim: at most 1.1 times the time. Ours runs as it does by default: small parameters together, large ones one by one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

import phase2.optim as ours
from phase2.bench import Measured, interleaved, torch_threads


@dataclass(frozen=True)
class Sizes:
    parameters: int  # the first of ResNet-18's
    repeats: int
    steps: int  # timed together in a repetition
    warm_up: int


FULL = Sizes(parameters=62, repeats=15, steps=3, warm_up=2)
TINY = Sizes(parameters=3, repeats=1, steps=1, warm_up=1)
CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"momentum": 0.9}),
    ("RMSprop", {}),
    ("Adagrad", {}),
    ("Adam", {}),
    ("AdamW", {}),
]


def measure(sizes: Sizes) -> list[Measured]:
    torch.empty(4 * 2**20)  # 16 MiB, freed at once: from then on malloc keeps pages, as late in a training
    with torch_threads(1):
        return [_figure(name, options, sizes) for name, options in CASES]


def resnet18_shapes(classes: int = 10) -> list[tuple[int, ...]]:
    """The 62 parameters of ResNet-18 with the 3 x 3 stem for CIFAR, 11.17 million numbers; He et al. 2016, table 1."""
    shapes: list[tuple[int, ...]] = [(64, 3, 3, 3), (64,), (64,)]
    inputs = 64
    for width in (64, 128, 256, 512):
        for _ in range(2):
            shapes += [(width, inputs, 3, 3), (width,), (width,), (width, width, 3, 3), (width,), (width,)]
            if inputs != width:
                shapes += [(width, inputs, 1, 1), (width,), (width,)]  # the shortcut's
            inputs = width
    return [*shapes, (classes, inputs), (classes,)]


def _figure(name: str, options: dict[str, Any], sizes: Sizes) -> Measured:
    mine, theirs = interleaved(
        sizes.repeats,
        _timer(getattr(ours, name), options, sizes),
        _timer(getattr(torch.optim, name), {**options, "foreach": True}, sizes),
    )
    values = [m / t for m, t in zip(mine, theirs, strict=True)]
    group = "an optimizer's step on ResNet-18's parameters against torch's foreach step"
    return Measured(f"{name}'s step on ResNet-18 against foreach", values, "x", 1.1, group=group)


def _timer(optimizer: type[torch.optim.Optimizer], options: dict[str, Any], sizes: Sizes) -> Callable[[], float]:
    """A function that returns the seconds of some steps."""
    params = [torch.nn.Parameter(torch.randn(shape)) for shape in resnet18_shapes()[: sizes.parameters]]
    for param in params:
        param.grad = torch.randn_like(param)
    step = optimizer(params, lr=1e-3, **options).step  # type: ignore[call-arg]

    def steps(count: int) -> float:
        began = time.perf_counter()
        for _ in range(count):
            step()
        return time.perf_counter() - began

    steps(sizes.warm_up)
    return lambda: steps(sizes.steps)
