"""A dry run of 10,000 cells. Claim: at most 30 s and 1 GB."""

import tempfile
from pathlib import Path

import yaml

from phase2.bench import Figure, copy_of_checkout, timed

SEEDS = 67  # x 6 activations x 25 lanes = 10,050 cells


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = copy_of_checkout(Path(name))
        overlay = folder / "wide.yaml"
        overlay.write_text(
            yaml.safe_dump({"studies": {"mlp_grid": {"axes": {"seed": list(range(SEEDS))}}}}), encoding="utf-8"
        )
        runs = [timed(["snakemake", "-n", "--configfile", str(overlay), "--", "report"], folder) for _ in range(3)]
    return [
        Figure("dry run of 10,050 cells", [run.seconds for run in runs], "s", 30),
        Figure("its memory", [run.memory / 1e9 for run in runs], "GB", 1),
    ]
