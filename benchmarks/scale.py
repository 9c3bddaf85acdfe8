"""A dry run of 10,000 cells. Claim: at most 30 s and 1 GB."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from phase2.bench import Figure, copy_of_checkout, timed
from phase2.study.cell import cells_of
from phase2.study.config import load


@dataclass(frozen=True)
class Sizes:
    seeds: int  # of the large grid: 150 cells each
    repeats: int


FULL = Sizes(seeds=67, repeats=3)
TINY = Sizes(seeds=1, repeats=1)


def measure(sizes: Sizes) -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = copy_of_checkout(Path(name))
        overlay = folder / "wide.yaml"
        wide = {"studies": {"mlp_grid": {"axes": {"seed": list(range(sizes.seeds))}}}}
        overlay.write_text(yaml.safe_dump(wide), encoding="utf-8")
        command = ["snakemake", "-n", "--configfile", str(overlay), "--", "report"]
        runs = [timed(command, folder) for _ in range(sizes.repeats)]
        cells = cells_of("mlp_grid", load([folder / "config.yaml", overlay]).studies["mlp_grid"])
    return [
        Figure(f"dry run of {len(cells):,} cells", [run.seconds for run in runs], "s", 30),
        Figure("its memory", [run.memory / 1e9 for run in runs], "GB", 1),
    ]
