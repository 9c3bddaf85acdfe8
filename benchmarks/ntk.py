"""The empirical tangent kernel against a loop of gradients: one thread, float32, a budget of 500 MB.

Claim: for 512 x 512 samples of 784 features and an MLP of 3 hidden layers of 64 units with 10 outputs, the kernel
(512, 512, 10, 10) takes at most a fifth of the time of a loop of `torch.autograd.grad` over samples and outputs with
one matrix product at its end, and stays within the budget. The loop holds all Jacobians at once: 1.2 GB.
"""

import threading
import time
from dataclasses import dataclass

import psutil
import torch
from torch import Tensor

from phase2.bench import Measured, interleaved, torch_threads
from phase2.models import MLP
from phase2.probe.kernel_regime.ntk import MB, empirical_ntk

FEATURES, OUTPUTS, WIDTH, DEPTH = 784, 10, 64, 3
BUDGET_MB = 500


@dataclass(frozen=True)
class Sizes:
    samples: int
    repeats: int


FULL = Sizes(samples=512, repeats=3)
TINY = Sizes(samples=8, repeats=1)


def measure(sizes: Sizes) -> list[Measured]:
    with torch_threads(1):
        torch.manual_seed(0)
        model, x = MLP(FEATURES, OUTPUTS, WIDTH, DEPTH), torch.rand(sizes.samples, FEATURES)
        torch.testing.assert_close(_ours(model, x[:4]), _by_loop(model, x[:4]), rtol=1e-4, atol=1e-4)
        memory = _memory_mb(lambda: _ours(model, x))
        timers = [lambda kernel=kernel: _seconds(kernel, model, x) for kernel in (_ours, _by_loop)]
        ours, loop = interleaved(sizes.repeats, *timers)
    case = f"kernel of {sizes.samples} x {sizes.samples} samples, {OUTPUTS} outputs"
    return [
        Measured(f"{case}: loop / ours", [other / own for other, own in zip(loop, ours, strict=True)], "x", 5, True),
        Measured(f"{case}: memory", [memory], "MB", BUDGET_MB),
    ]


def _ours(model: MLP, x: Tensor) -> Tensor:
    return empirical_ntk(model, x, memory_mb=BUDGET_MB, full=True)


def _by_loop(model: MLP, x: Tensor) -> Tensor:
    parameters = list(model.parameters())
    rows = torch.empty(len(x) * OUTPUTS, sum(p.numel() for p in parameters))
    for i, sample in enumerate(x):
        y = model(sample[None])[0]
        for o in range(OUTPUTS):
            gradients = torch.autograd.grad(y[o], parameters, retain_graph=True)
            torch.cat([g.flatten() for g in gradients], out=rows[i * OUTPUTS + o])
    return (rows @ rows.mT).view(len(x), OUTPUTS, len(x), OUTPUTS).transpose(1, 2)


def _seconds(kernel, model: MLP, x: Tensor) -> float:
    began = time.perf_counter()
    kernel(model, x)
    return time.perf_counter() - began


def _memory_mb(work) -> float:
    """The most that the process grew while it worked."""
    process, done = psutil.Process(), threading.Event()
    before = most = process.memory_info().rss

    def watch() -> None:
        nonlocal most
        while not done.wait(0.005):
            most = max(most, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    return (most - before) / MB
