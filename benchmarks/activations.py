"""Our activations against torch.nn's fused kernels: forward and backward of (128, 4096) in float32, on one thread.

Claim: eagerly at most 4 times the time (6 for the exact GELU), and at most 1.5 times where both are compiled.
"""

import time
from collections.abc import Callable
from statistics import median

import torch
from torch.nn import Module

import phase2.nn.activations as ours
from phase2.bench import Figure, interleaved

SHAPE = (128, 4096)
REPEATS = 15
CALLS = 5  # in one timing
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


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    eager = [
        Figure(f"{name}, eager against torch.nn", _ratios(*pair), "x", EXACT_GELU if name == "GELU, exact" else EAGER)
        for name, pair in LAYERS.items()
    ]
    compiled = {name: _compiled(*pair) for name, pair in LAYERS.items()}
    worst = max(compiled, key=lambda name: median(compiled[name]))
    return [*eager, Figure(f"worst compiled against torch.nn compiled: {worst}", compiled[worst], "x", COMPILED)]


def _compiled(ours: Module, theirs: Module) -> list[float]:
    torch.compiler.reset()  # otherwise the limit on recompilations is met after a few layers
    return _ratios(torch.compile(ours, fullgraph=True), torch.compile(theirs, fullgraph=True))


def _ratios(ours: Callable, theirs: Callable) -> list[float]:
    """Our CPU seconds over theirs, by repetition: what else runs on the machine does not count."""
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0)).requires_grad_()
    G = torch.ones(SHAPE)

    def seconds(layer: Callable) -> float:
        began = time.process_time()
        for _ in range(CALLS):
            x.grad = None
            layer(x).backward(G)
        return time.process_time() - began

    for layer in (ours, theirs):
        seconds(layer)
    return [o / t for o, t in zip(*interleaved(REPEATS, lambda: seconds(ours), lambda: seconds(theirs)), strict=True)]
