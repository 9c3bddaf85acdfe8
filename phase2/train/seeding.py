"""Named random streams: every draw of a training derives from its seed, the stream's name, and a position.

Streams depend on the seed alone, never on a cell's other axes, so two cells of one seed see the same batches in the
same order and start from the same noise: every comparison is paired. A generator is made afresh for each position
(an epoch, say), so nothing has to be saved for a resumed run to draw what an uninterrupted one would have drawn.
"""

import hashlib
from typing import Literal

import torch

Stream = Literal["init", "data", "augment", "dropout"]


def generator(seed: int, stream: Stream, *position: int) -> torch.Generator:
    """A CPU generator for one stream of one seed, at `position`, e.g. (epoch,)."""
    digest = hashlib.sha256(repr((seed, stream, *position)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
