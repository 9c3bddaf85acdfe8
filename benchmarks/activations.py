"""Our activations against torch.nn's fused kernels: forward and backward of (128, 4096) in float32, on one thread.

Claim: eagerly at most 4 times the time (6 for the exact GELU), and at most 1.5 times where both are compiled.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from phase2 import nn as ours
from phase2.bench import Measured, interleaved, torch_threads


@dataclass(frozen=True)
class Sizes:
    shape: tuple[int, ...]
    repeats: int
    calls: int  # in one timing
    compiler: str  # of torch.compile; aot_eager traces alike, and compiles nothing


FULL = Sizes(shape=(128, 4096), repeats=15, calls=5, compiler="inductor")
TINY = Sizes(shape=(2, 8), repeats=1, calls=1, compiler="aot_eager")
EAGER, EXACT_GELU, COMPILED = 4.0, 6.0, 1.5  # bounds
LAYERS = {
    "ReLU": (ours.ReLU(), torch.nn.ReLU()),
    "LeakyReLU": (ours.LeakyReLU(), torch.nn.LeakyReLU()),
    "PReLU": (ours.PReLU(), torch.nn.PReLU()),
    "ELU": (ours.ELU(), torch.nn.ELU()),
    "SELU": (ours.SELU(), torch.nn.SELU()),
    "GELU, exact": (ours.GELU(), torch.nn.GELU()),
    "GELU, tanh": (ours.GELU("tanh"), torch.nn.GELU("tanh")),
    "SiLU": (ours.SiLU(), torch.nn.SiLU()),
    "Mish": (ours.Mish(), torch.nn.Mish()),
    "Softplus": (ours.Softplus(), torch.nn.Softplus()),
    "Tanh": (ours.Tanh(), torch.nn.Tanh()),
    "Sigmoid": (ours.Sigmoid(), torch.nn.Sigmoid()),
}


def measure(sizes: Sizes) -> list[Measured]:
    with torch_threads(1):
        return [_eager(name, sizes) for name in LAYERS] + [_compiled(name, sizes) for name in LAYERS]


def _eager(name: str, sizes: Sizes) -> Measured:
    bound, group = (EXACT_GELU, "") if name == "GELU, exact" else (EAGER, "other activations, eager, against torch.nn")
    return Measured(f"{name}, eager against torch.nn", _ratios(*LAYERS[name], sizes), "x", bound, group=group)


def _compiled(name: str, sizes: Sizes) -> Measured:
    torch.compiler.reset()  # otherwise the limit on recompilations is met after a few layers
    pair = [torch.compile(layer, fullgraph=True, backend=sizes.compiler) for layer in LAYERS[name]]
    told = f"{name}, both compiled"
    return Measured(told, _ratios(*pair, sizes), "x", COMPILED, group="activations, both compiled, against torch.nn")


def _ratios(ours: Callable, theirs: Callable, sizes: Sizes) -> list[float]:
    """Our CPU seconds over theirs, by repetition: what else runs on the machine does not count."""
    x = torch.randn(sizes.shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    G = torch.ones(sizes.shape)

    def seconds(layer: Callable) -> float:
        began = time.process_time()
        for _ in range(sizes.calls):
            x.grad = None
            layer(x).backward(G)
        return time.process_time() - began

    for layer in (ours, theirs):
        seconds(layer)
    mine, other = interleaved(sizes.repeats, lambda: seconds(ours), lambda: seconds(theirs))
    return [m / o for m, o in zip(mine, other, strict=True)]
