"""Our norms against torch.nn's fused kernels: forward and backward, one thread, float32.

Claim: at most 4 times the time eagerly, and at most 1.5 times with both sides under `torch.compile`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

import phase2.nn as ours
from phase2.bench import Figure, interleaved

REPEATS = 25
CALLS = 10  # timed together in a repetition
WARM_UP = 5
CASES: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = [
    ("LayerNorm", (1024,), (256, 1024)),
    ("RMSNorm", (1024,), (256, 1024)),
    ("BatchNorm1d", (1024,), (256, 1024)),
    ("BatchNorm2d", (32,), (64, 32, 16, 16)),
    ("GroupNorm", (8, 32), (64, 32, 16, 16)),
]


def measure() -> list[Figure]:
    torch.empty(4 * 2**20)  # 16 MiB, freed at once: from then on malloc keeps pages, as late in a training
    with _one_thread():
        return [figure for case in CASES for figure in (_figure(*case, compiled=False), _figure(*case, compiled=True))]


def _figure(name: str, arguments: tuple[int, ...], shape: tuple[int, ...], compiled: bool) -> Figure:
    torch.compiler.reset()
    layers = [getattr(library, name)(*arguments) for library in (ours, nn)]
    timers = [_timer(torch.compile(layer) if compiled else layer, shape) for layer in layers]
    mine, theirs = interleaved(REPEATS, *timers)
    how, bound = ("compiled", 1.5) if compiled else ("eager", 4)
    return Figure(f"{name} {shape}, {how}", [m / t for m, t in zip(mine, theirs, strict=True)], "x", bound)


def _timer(layer: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> Callable[[], float]:
    """A function that returns the seconds of `CALLS` passes forward and backward."""
    x, gradient = torch.randn(shape, requires_grad=True), torch.randn(shape)
    inputs = [x, *layer.parameters()]

    def calls(count: int) -> float:
        began = time.perf_counter()
        for _ in range(count):
            torch.autograd.grad(layer(x), inputs, gradient)
        return time.perf_counter() - began

    calls(WARM_UP)
    return lambda: calls(CALLS)


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
