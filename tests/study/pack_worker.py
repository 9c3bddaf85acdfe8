"""Runs a pack in a process of its own.

python pack_worker.py wait <prepared> <root>   makes the file "training" after an epoch, then waits for the file "go"
python pack_worker.py full <prepared> <root>   thrice, on a disk that has no room for the metrics, for the weights,
                                               for a checkpoint: prints what each attempt raised
"""

import resource
import sys
import time
from pathlib import Path

from studies import COMPUTE, WIDE, cells, folders_in, run, study_of

from phase2.files import write_text
from phase2.study.pack import run_pack


def wait(prepared: Path, root: Path) -> None:
    def progress(fraction: float) -> None:
        write_text(root / "training", "")
        while not (root / "go").exists():
            time.sleep(0.01)

    print(run(folders_in(root, prepared), progress))


def full(prepared: Path, root: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size, checkpoint_seconds in ((1000, 60), (6000, 60), (6000, 0)):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        compute = COMPUTE.model_copy(update={"checkpoint_seconds": checkpoint_seconds})
        try:
            run_pack(cells(**WIDE), study_of(**WIDE), folders_in(root, prepared), compute)
        except OSError as error:
            print(error)


if __name__ == "__main__":
    {"wait": wait, "full": full}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
