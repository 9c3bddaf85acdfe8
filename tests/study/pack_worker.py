"""Runs a pack in a process of its own.

python pack_worker.py wait <prepared> <root> <flag>    says "training" after the first epoch, then waits for <flag>
python pack_worker.py full <prepared> <root> <bytes>   on a disk whose files cannot grow beyond so many bytes
"""

import resource
import sys
import time
from pathlib import Path

from studies import folders_in, run

from phase2.files import write_text


def wait(prepared: Path, root: Path, flag: str) -> None:
    def progress(fraction: float) -> None:
        write_text(root / "training", "")
        while not Path(flag).exists():
            time.sleep(0.01)

    print(run(folders_in(root, prepared), progress))


def full(prepared: Path, root: Path, size: str) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), hard))
    try:
        run(folders_in(root, prepared), axes={"init": ["kaiming", "lsuv"], "schedule": ["step"], "seed": [0]})
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    {"wait": wait, "full": full}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
