"""One training job a GPU: Snakemake limits how many jobs run, and nothing of it says which device each one gets."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from phase2.errors import UserError


def visible_gpus() -> list[str]:
    """The devices this process may use: those of CUDA_VISIBLE_DEVICES (Slurm sets it), else all of the machine."""
    if given := os.environ.get("CUDA_VISIBLE_DEVICES"):
        return given.split(",")
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, encoding="utf-8", check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    return [str(number) for number, line in enumerate(listed.splitlines()) if line.startswith("GPU ")]


@contextmanager
def claimed_gpu(locks: Path, poll_seconds: float = 1.0) -> Iterator[str]:
    """Waits until a device is free, and makes it the only one that this process sees. To be entered before CUDA starts.

    Raises `UserError` if the machine has none.
    """
    gpus = visible_gpus()
    if not gpus:
        raise UserError("compute.device is cuda, and this machine has no GPU: set it to auto or cpu (`phase2 doctor`)")
    locks.mkdir(parents=True, exist_ok=True)
    while True:
        for gpu in gpus:
            try:
                lock = FileLock(locks / f"gpu-{gpu}.lock", timeout=0).acquire()
            except Timeout:
                continue
            with lock:
                os.environ["CUDA_VISIBLE_DEVICES"] = gpu
                yield gpu
            return
        time.sleep(poll_seconds)
