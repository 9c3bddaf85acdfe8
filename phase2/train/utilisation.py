"""How much of what a device can do a training does: its model's operations, by those of a product of matrices."""

import time
from functools import cache

import torch

TRAINING = 3  # passes: the backward costs two of the forward
SIDE = {"cpu": 1024, "cuda": 8192}  # of the matrices
SECONDS = 0.2


@cache
def peak(device: torch.device, dtype: torch.dtype, threads: int) -> float:
    """Floating-point operations a second of a product of square matrices, the best of those that fit into
    `SECONDS`, on a device with so many threads: what model FLOP utilisation is a share of, here, since no table has
    every processor's.

    Utilisation counts the model's own operations, forward and twice as many backward, whatever is done besides
    (Chowdhery et al. 2022, appendix B).
    """
    side = SIDE.get(device.type, SIDE["cpu"])
    a = torch.full((side, side), 0.5, device=device, dtype=dtype)
    _timed(a)  # what the first product sets up
    best, until = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        best = min(best, _timed(a))
    return 2 * side**3 / best


def _timed(a: torch.Tensor) -> float:
    began = time.perf_counter()
    float((a @ a)[0, 0])  # which waits for a GPU
    return time.perf_counter() - began
