"""Our norms against torch.nn's fused kernels: forward and backward, one thread, float32.

Claim: at most 4 times the time eagerly, and at most 1.5 times with both sides under `torch.compile`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

import phase2.nn as ours
from phase2.bench import Measured, interleaved, torch_threads


@dataclass(frozen=True)
class Sizes:
    repeats: int
    calls: int  # timed together in a repetition
    warm_up: int
    compiler: str  # of torch.compile; aot_eager traces alike, and compiles nothing


FULL = Sizes(repeats=25, calls=10, warm_up=5, compiler="inductor")
TINY = Sizes(repeats=1, calls=1, warm_up=1, compiler="aot_eager")
CASES: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = [
    ("LayerNorm", (1024,), (256, 1024)),
    ("RMSNorm", (1024,), (256, 1024)),
    ("BatchNorm1d", (1024,), (256, 1024)),
    ("BatchNorm2d", (32,), (64, 32, 16, 16)),
    ("GroupNorm", (8, 32), (64, 32, 16, 16)),
]


def measure(sizes: Sizes) -> list[Measured]:
    torch.empty(4 * 2**20)  # 16 MiB, freed at once: from then on malloc keeps pages, as late in a training
    with torch_threads(1):
        return [figure for case in CASES for figure in _figures(*case, sizes)]


def _figures(name: str, arguments: tuple[int, ...], shape: tuple[int, ...], sizes: Sizes) -> list[Measured]:
    torch.compiler.reset()
    layers = [getattr(library, name)(*arguments) for library in (ours, nn)]
    compiled = [torch.compile(layer, backend=sizes.compiler) for layer in layers]
    figures = []
    for how, pair, bound in (("eager", layers, 4), ("compiled", compiled, 1.5)):
        mine, theirs = interleaved(sizes.repeats, *(_timer(layer, shape, sizes) for layer in pair))
        ratios = [m / t for m, t in zip(mine, theirs, strict=True)]
        figures.append(Measured(f"{name} {shape}, {how}", ratios, "x", bound, group=f"norms, {how}, against torch.nn"))
    return figures


def _timer(layer: Callable[[Tensor], Tensor], shape: tuple[int, ...], sizes: Sizes) -> Callable[[], float]:
    """A function that returns the seconds of some passes forward and backward."""
    x, gradient = torch.randn(shape, requires_grad=True), torch.randn(shape)
    inputs = [x, *layer.parameters()]

    def calls(count: int) -> float:
        began = time.perf_counter()
        for _ in range(count):
            torch.autograd.grad(layer(x), inputs, gradient)
        return time.perf_counter() - began

    calls(sizes.warm_up)
    return lambda: calls(sizes.calls)
