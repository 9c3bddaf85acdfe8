"""The cards of all parts. Claim: reading them takes at most 0.2 s, and 0.02 s where that was done before."""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from phase2.bench import Measured, copy_of_checkout, timed
from phase2.source import REMEMBERED

READ = """
import time
from phase2 import registry
began = time.perf_counter()
registry.parts("model")
print(time.perf_counter() - began)
"""


@dataclass(frozen=True)
class Sizes:
    repeats: int


FULL = Sizes(repeats=9)
TINY = Sizes(repeats=1)


def measure(sizes: Sizes) -> list[Measured]:
    cold, known = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = copy_of_checkout(Path(name))
        (folder / REMEMBERED.parent).mkdir(exist_ok=True)
        for _ in range(sizes.repeats):
            (folder / REMEMBERED).unlink(missing_ok=True)
            cold.append(_seconds(folder))
            known.append(_seconds(folder))
    return [
        Measured("reading all cards", cold, "s", 0.2),
        Measured("reading all cards again", known, "s", 0.02),
    ]


def _seconds(folder: Path) -> float:
    """Of a process of its own, without its start."""
    return float(timed([sys.executable, "-c", READ], folder).output)
