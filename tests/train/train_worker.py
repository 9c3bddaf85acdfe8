"""Trains a pack in a process of its own; with kill points, in one process after another, each killed at its point.

    python train_worker.py <prepared> <work> <out.json> <pack> [epoch:N | step:N | save:N]...

The pack is `plain`, or one of `packs.EVERYTHING`, with smoothed labels. The last process is left to finish; it writes
its summary. A kill point is the N-th end of an epoch, step or checkpoint of its process; `save` dies half-way through
writing it.
"""

import json
import os
import signal
import sys
from itertools import count
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from packs import CPU, LANES, clipped, everything, recipe, summary, train

from phase2 import registry
from phase2.data.prepared import open_prepared
from phase2.files import atomic_path
from phase2.task.images import open_images
from phase2.train import loop, state


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at(event: str, number: int) -> None:
    """Arranges for this process to die at the `number`-th `event`."""
    counter = count(1)
    if event == "step":
        original = loop.Training.step

        def step(self: loop.Training, rows: torch.Tensor) -> None:
            original(self, rows)
            if next(counter) == number:
                kill()

        loop.Training.step = step
    elif event == "save":
        write_bytes = state.write_bytes

        def half_write(path: Path, content: bytes) -> None:
            if next(counter) == number:
                with atomic_path(path) as temporary:
                    temporary.write_bytes(content[: len(content) // 2])
                    kill()
            write_bytes(path, content)

        state.write_bytes = half_write


def run(prepared: Path, work: Path, pack: str, kill_point: str | None) -> list[dict]:
    torch.set_num_threads(1)
    event, number = (kill_point or "none:0").split(":")
    kill_at(event, int(number))
    epochs = count(1)

    def progress(fraction: float) -> None:
        if event == "epoch" and next(epochs) == int(number):
            kill()

    shared, lanes = (recipe(epochs=4), clipped(LANES, 1.0)) if pack == "plain" else everything(pack)
    smoothing = 0.0 if pack == "plain" else 0.1
    parts = open_images(open_prepared(prepared), 40, None, CPU, label_smoothing=smoothing)
    options = {"keep_epochs": range(1, 5), "checkpoint_seconds": 0, "progress": progress}
    return summary(train(shared, lanes, parts, work, **options))


def main(prepared: Path, work: Path, out: Path, pack: str, *kill_points: str) -> None:
    registry.load("optimizer", "sgd")([torch.zeros(1)])  # what torch imports late, imported before forking
    for kill_point in kill_points:
        child = os.fork()  # a process of its own, without the seconds that importing torch takes
        if child == 0:
            run(prepared, work, pack, kill_point)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, f"not killed at {kill_point}"
        assert (work / "state.pt").exists()
    out.write_text(json.dumps(run(prepared, work, pack, None)))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), *sys.argv[4:])
