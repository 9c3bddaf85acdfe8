"""Our convolution against torch's fused kernel and against F.unfold and a product: forward and backward, float32.

Claim, at the 3 x 3 convolutions of He et al.'s networks for CIFAR, batch 128, on one thread and on two: at most 3 times
the fused kernel's time at ResNet-18's shapes and 6 times at ResNet-20's thin ones, in either layout; never slower than
the composition; and at no time more memory, beside what it returns, than the unfolded input has.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from phase2.bench import Measured, interleaved, torch_threads
from phase2.nn.convolution.convolve import conv2d

LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}
Convolution = Callable[..., Tensor]


@dataclass(frozen=True)
class Sizes:
    batch: int
    repeats: int


FULL = Sizes(batch=128, repeats=9)
TINY = Sizes(batch=2, repeats=1)
BOUNDS = {"ResNet-20's": 6, "ResNet-18's": 3}  # of the time against the fused kernel


class Case(NamedTuple):
    channels: int
    side: int
    out: int
    stride: int
    network: str

    def __str__(self) -> str:
        return f"{self.channels} to {self.out} channels at {self.side} x {self.side}, stride {self.stride}"


CASES = [
    Case(16, 32, 16, 1, "ResNet-20's"),
    Case(32, 16, 32, 1, "ResNet-20's"),
    Case(64, 8, 64, 1, "ResNet-20's"),
    Case(16, 32, 32, 2, "ResNet-20's"),
    Case(32, 16, 64, 2, "ResNet-20's"),
    Case(256, 8, 256, 1, "ResNet-18's"),
    Case(512, 4, 512, 1, "ResNet-18's"),
    Case(128, 16, 256, 2, "ResNet-18's"),
    Case(256, 8, 512, 2, "ResNet-18's"),
]


def measure(sizes: Sizes) -> list[Measured]:
    torch.empty(4 * 2**20)  # 16 MiB, freed at once: from then on malloc keeps pages, as late in a training
    figures = [_memory(case, sizes.batch) for case in CASES]
    for threads in (1, 2):
        with torch_threads(threads):
            figures += [figure for case in CASES for figure in _times(case, threads, sizes)]
    return figures


def _times(case: Case, threads: int, sizes: Sizes) -> list[Measured]:
    figures = []
    for name, layout in LAYOUTS.items():
        ours, fused, composed = interleaved(
            sizes.repeats,
            *(_timer(function, case, layout, sizes.batch) for function in (conv2d, F.conv2d, _composition)),
        )
        for other, seconds, bound, group in (
            ("the fused kernel", fused, BOUNDS[case.network], f"Conv2d at {case.network} shapes against torch's own"),
            ("the composition", composed, 1, "Conv2d against F.unfold and a product"),
        ):
            values = [m / t for m, t in zip(ours, seconds, strict=True)]
            told = f"{case}, {name}, threads {threads}: against {other}"
            figures.append(Measured(told, values, "x", bound, group=group))
    return figures


def _composition(x: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
    """What a user would write: the windows by F.unfold, a product, and autograd for the rest."""
    kernel = weight.shape[-1]
    windows = F.unfold(x, kernel, padding=padding, stride=stride)
    y = weight.flatten(1) @ windows + bias[:, None]
    return y.unflatten(2, ((x.shape[2] + 2 * padding - kernel) // stride + 1, -1))


def _timer(function: Convolution, case: Case, layout: torch.memory_format, batch: int) -> Callable[[], float]:
    """A function that returns the seconds of one pass forward and backward."""
    once = _pass(function, case, layout, batch)

    def seconds() -> float:
        began = time.perf_counter()
        once()
        return time.perf_counter() - began

    seconds()
    return seconds


def _pass(
    function: Convolution, case: Case, layout: torch.memory_format, batch: int
) -> Callable[[], tuple[Tensor, ...]]:
    """A function that returns y and the gradients of x, weight and bias."""
    x = torch.randn(batch, case.channels, case.side, case.side).to(memory_format=layout).requires_grad_()
    weight = torch.randn(case.out, case.channels, 3, 3).to(memory_format=layout).requires_grad_()
    bias = torch.randn(case.out, requires_grad=True)
    G = torch.randn_like(F.conv2d(x, weight, bias, case.stride, 1).detach())

    def once() -> tuple[Tensor, ...]:
        y = function(x, weight, bias, case.stride, 1)
        return y, *torch.autograd.grad(y, (x, weight, bias), G)

    return once


def _memory(case: Case, batch: int) -> Measured:
    """The most bytes held at once, beside what is returned in the end, over the unfolded input's."""
    once = _pass(conv2d, case, torch.contiguous_format, batch)
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else the profiler tells the terminal when it starts and stops
    with torch.profiler.profile(profile_memory=True) as profile:
        kept = once()
    held = most = 0
    for event in profile.profiler.kineto_results.events():  # in the order of time
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    rest = most - sum(tensor.nbytes for tensor in kept)
    unfolded = 4 * 9 * batch * case.channels * (case.side // case.stride) ** 2
    group = "Conv2d's memory over the unfolded input's"
    return Measured(f"{case}: memory over the unfolded input's", [rest / unfolded], "x", 1, group=group)
