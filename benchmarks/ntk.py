"""The empirical tangent kernel against a loop of gradients: one thread, float32, a budget of 500 MB.

Claim: for 512 x 512 samples of 784 features and an MLP of 3 hidden layers of 64 units with 10 outputs, the kernel
(512, 512, 10, 10) takes at most a fifth of the time of a loop of `torch.autograd.grad` over samples and outputs with
one matrix product at its end, and stays within the budget. The loop holds all Jacobians at once: 1.2 GB.
"""

import threading
import time

import psutil
import torch
from torch import Tensor

from phase2.bench import Figure, interleaved
from phase2.models import MLP
from phase2.probe.ntk import MB, empirical_ntk

SAMPLES, FEATURES, OUTPUTS, WIDTH, DEPTH = 512, 784, 10, 64, 3
BUDGET_MB = 500
REPEATS = 3


def measure() -> list[Figure]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        torch.manual_seed(0)
        model, x = MLP(FEATURES, OUTPUTS, WIDTH, DEPTH), torch.rand(SAMPLES, FEATURES)
        torch.testing.assert_close(_ours(model, x[:4]), _by_loop(model, x[:4]), rtol=1e-4, atol=1e-4)
        memory = _memory_mb(lambda: _ours(model, x))
        ours, loop = interleaved(REPEATS, lambda: _seconds(_ours, model, x), lambda: _seconds(_by_loop, model, x))
    finally:
        torch.set_num_threads(threads)
    case = f"kernel of {SAMPLES} x {SAMPLES} samples, {OUTPUTS} outputs"
    return [
        Figure(f"{case}: loop / ours", [theirs / mine for theirs, mine in zip(loop, ours, strict=True)], "x", 5, True),
        Figure(f"{case}: memory", [memory], "MB", BUDGET_MB),
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
