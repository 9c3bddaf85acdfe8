"""The whole default run in a copy of the checkout with an empty store, and what orchestration costs of it.

Claims, on 2 cores: the run ends within 11 minutes and 3 GB, of which all but the large grid and its figures take 3;
Snakemake's wall time for the large grid is at most 1.3 times its training time spread over the cores; with everything
done, a dry run takes at most 5 s.
"""

import tempfile
from pathlib import Path

import yaml

from phase2.bench import Figure, copy_of_checkout, timed
from phase2.study.tables import read_table

CORES = 2


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = copy_of_checkout(Path(name))
        snakemake = ["snakemake", "--cores", str(CORES)]
        timed([*snakemake, "data"], folder)
        cells = "results/desk/tables/mlp_grid/cells.csv"
        grid = timed([*snakemake, cells], folder)
        figures = timed([*snakemake, "figures", "--configfile", _only_the_grid(folder)], folder)
        rest = timed([*snakemake, "all"], folder)
        dry = [timed(["snakemake", "-n", "all"], folder) for _ in range(3)]
        assert all("Nothing to be done" in run.output for run in dry), dry[0].output
        trained = float(read_table(folder / cells)["seconds"].sum())
    whole = [grid, figures, rest]
    return [
        Figure("everything: data to report and notebooks", [sum(run.seconds for run in whole) / 60], "min", 11),
        Figure("of which all but the large grid and its figures", [rest.seconds / 60], "min", 3),
        Figure("memory of all processes", [max(run.memory for run in whole) / 1e9], "GB", 3),
        Figure("orchestration: wall over training seconds a core", [grid.seconds / (trained / CORES)], "x", 1.3),
        Figure("dry run with everything done", [run.seconds for run in dry], "s", 5),
    ]


def _only_the_grid(folder: Path) -> str:
    """An overlay that leaves everything out but the large grid."""
    config = yaml.safe_load((folder / "config.yaml").read_text())
    others = {part: dict.fromkeys(config[part]) for part in ("studies", "probes")}
    del others["studies"]["mlp_grid"]
    (folder / "grid.yaml").write_text(yaml.safe_dump(others))
    return "grid.yaml"
