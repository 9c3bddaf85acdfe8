"""Named random streams: every draw of a training derives from its seed, the stream's name, and a position.

Streams depend on the seed alone, never on a cell's other axes, so two cells of one seed see the same batches in the
same order and start from the same noise: every comparison is paired. A generator is made afresh for each position
(an epoch, say), so nothing has to be saved for a resumed run to draw what an uninterrupted one would have drawn.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import torch

Stream = Literal["init", "data", "augment", "dropout"]


def generator(seed: int, stream: Stream, *position: int) -> torch.Generator:
    """A CPU generator for one stream of one seed, at `position`, e.g. (epoch,).

    >>> first, again = (torch.randperm(9, generator=generator(0, "data", 1)) for _ in range(2))
    >>> bool((first == again).all())
    True
    """
    return torch.Generator().manual_seed(number(seed, stream, *position))


@contextmanager
def drawing(seed: int, stream: Stream, *position: int) -> Iterator[None]:
    """Layers that draw from torch's global generators, as dropout does, draw from one stream inside the block."""
    with same_draws() as gpus:
        for one in (torch.default_generator, *(torch.cuda.default_generators[gpu] for gpu in gpus)):
            one.manual_seed(number(seed, stream, *position))
        yield


@contextmanager
def same_draws() -> Iterator[Sequence[int]]:
    """What is drawn from torch's global generators inside the block will be drawn again after it; of which GPUs."""
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=gpus):
        yield gpus


def number(seed: int, stream: Stream, *position: int | str) -> int:
    """The whole number from 0 to 2⁶³ that a stream of a seed begins with at a position."""
    digest = hashlib.sha256(repr((seed, stream, *position)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
