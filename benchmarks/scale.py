"""10,000 cells. Claims: a dry run takes at most 30 s and 1 GB, `phase2 verify`, which reads every byte, 60 s."""

import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from phase2.bench import Measured, copy_of_checkout, timed
from phase2.run.config import load
from phase2.study.cell import cells_of


@dataclass(frozen=True)
class Sizes:
    seeds: int  # of the large grid: 150 cells each
    small: int  # seeds of a grid that is trained: 8 cells each
    repeats: int


FULL = Sizes(seeds=67, small=1250, repeats=3)
TINY = Sizes(seeds=1, small=1, repeats=1)


def measure(sizes: Sizes) -> list[Measured]:
    with tempfile.TemporaryDirectory() as name:
        folder = copy_of_checkout(Path(name))
        overlay = folder / "wide.yaml"
        wide = {"studies": {"mlp_grid": {"axes": {"seed": list(range(sizes.seeds))}}}}
        overlay.write_text(yaml.safe_dump(wide), encoding="utf-8")
        command = ["snakemake", "-n", "--configfile", str(overlay), "--", "report"]
        runs = [timed(command, folder) for _ in range(sizes.repeats)]
        cells = cells_of("mlp_grid", load([folder / "config.yaml", overlay]).studies["mlp_grid"])
        timed(["snakemake", "--cores", "2", "grid", "--configfile", _small_grid(folder, sizes, "per_study")], folder)
        # Tables and report are not made: a disagreement, and exit code 1.
        verify = ["phase2", "verify", "--configfile", _small_grid(folder, sizes, "per_seed")]
        verified = [timed(["sh", "-c", f"{shlex.join(verify)} || test $? = 1"], folder) for _ in range(sizes.repeats)]
        assert all("aggregate: not made yet" in run.output for run in verified), verified[0].output
        assert not any("train" in run.output for run in verified), verified[0].output
    return [
        Measured(f"dry run of {len(cells):,} cells", [run.seconds for run in runs], "s", 30),
        Measured("its memory", [run.memory / 1e9 for run in runs], "GB", 1),
        Measured(f"phase2 verify on {8 * sizes.small:,} cells", [run.seconds for run in verified], "s", 60),
    ]


def _small_grid(folder: Path, sizes: Sizes, jobs: str) -> str:
    """An overlay whose only study are small networks on few images, trained in jobs of this kind."""
    axes = {"activation": ["relu", "tanh"], "init": ["kaiming", "xavier"], "schedule": ["constant", "cosine"]}
    small = {
        "question": "How long does it take to compare many cells?",
        "task": {"dataset": "digits", "validation": 300, "train": 64},
        "model": {"name": "mlp", "width": 1, "depth": 1},
        "optimizer": {"name": "sgd", "lr": 0.1},
        "budget": {"epochs": 1, "batch_size": 64},
        "axes": axes | {"seed": list(range(sizes.small))},
        "figures": [],
        "jobs": jobs,
    }
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    nothing = {part: dict.fromkeys(config[part]) for part in ("studies", "probes")}
    nothing["studies"]["small"] = small
    (folder / f"{jobs}.yaml").write_text(yaml.safe_dump(nothing), encoding="utf-8")
    return f"{jobs}.yaml"
