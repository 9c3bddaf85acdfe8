"""Configurations and packs that the tests of studies share."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from phase2.run.config import validate
from phase2.study.cell import Cell, cells_of
from phase2.study.config import Compute, Study
from phase2.study.pack import Folders, PackReport, run_pack

ROOT = Path(__file__).parents[1]
COMPUTE = Compute(device="cpu", checkpoint_seconds=0)
STUDY: dict[str, Any] = {
    "question": "Does it work?",
    "task": {"dataset": "digits", "validation": 40},
    "model": {"name": "mlp", "width": 6, "depth": 1, "activation": "relu"},
    "optimizer": {"name": "sgd", "lr": 0.05, "options": {"momentum": 0.9}},
    "budget": {"epochs": 2, "batch_size": 32},
    "axes": {"init": ["kaiming", "xavier"], "schedule": ["constant", "cosine"], "seed": [0]},
    "figures": [],
}
WIDE = {"model": {"name": "mlp", "width": 32, "depth": 1}}  # weights of 9 kB, checkpoints of more


def content(place: str = "", value: Any = None) -> dict[str, Any]:
    """A whole configuration of one study, `grid`, with the value at a dotted place replaced or added."""
    whole: dict[str, Any] = {"run": "test", "studies": {"grid": deepcopy(STUDY)}}
    if place:
        *parents, key = place.split(".")
        section = whole
        for parent in parents:
            section = section.setdefault(parent, {})
        section[key] = value
    return whole


def study_of(**changes: Any) -> Study:
    """STUDY with some of its keys replaced."""
    return validate({"run": "test", "studies": {"grid": deepcopy(STUDY) | changes}}).studies["grid"]


def cells(**changes: Any) -> list[Cell]:
    """The cells of STUDY with some of its keys replaced."""
    return cells_of("grid", study_of(**changes))


def folders_in(root: Path, prepared: Path) -> Folders:
    """A run's folders below `root`."""
    return Folders(prepared, *(root / name for name in ("results", "checkpoints", "store", "work", "logs")))


def run(folders: Folders, progress: Any = lambda fraction: None, **changes: Any) -> PackReport:
    """Runs the one pack of STUDY, with some of its keys replaced."""
    study = study_of(**changes)
    return run_pack(cells_of("grid", study), study, folders, COMPUTE, progress)


def tree(*roots: Path) -> dict[str, bytes]:
    """Every file below the folders, by path, with its bytes."""
    return {str(path): path.read_bytes() for root in roots for path in sorted(root.rglob("*")) if path.is_file()}
