"""The whole default run in a copy of the checkout with an empty store, and what orchestration costs of it.

Claims, on 2 cores: the run ends within 17 minutes and 3 GB, of which the small studies and probes of the report take 3,
optimization.pdf and the tangent kernel 3, and convolutional networks 3; Snakemake's wall time for the large grid is at
most 1.3 times its training time spread over the cores; with everything done, a dry run takes at most 5 s, and
`phase2 verify`, which reads every byte, 10 s.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from phase2.bench import Measured, copy_of_checkout, timed
from phase2.study.tables import read_table

CORES = 2


@dataclass(frozen=True)
class Sizes:
    everything: str  # the target that is all of a run
    report: str  # and the one without notebooks
    small_grid: bool  # two small cells are the only study, in the place of the default run
    dry_runs: int


FULL = Sizes(everything="all", report="report", small_grid=False, dry_runs=3)
TINY = Sizes(everything="figures", report="figures", small_grid=True, dry_runs=1)


def measure(sizes: Sizes) -> list[Measured]:
    with tempfile.TemporaryDirectory() as name:
        folder = copy_of_checkout(Path(name))
        if sizes.small_grid:
            _leave_a_small_grid(folder)
        snakemake = ["snakemake", "--cores", str(CORES)]
        timed([*snakemake, "data"], folder)
        cells = "results/desk/tables/mlp_grid/cells.csv"
        grid = timed([*snakemake, cells], folder)
        figures = timed([*snakemake, "figures", "--configfile", _only_the_grid(folder)], folder)
        without = _without(folder, "optimization", "convolutions")
        rest = timed([*snakemake, sizes.everything, "--configfile", without], folder)
        optimization = timed([*snakemake, sizes.report, "--configfile", _without(folder, "convolutions")], folder)
        convolutions = timed([*snakemake, sizes.report], folder)
        timed([*snakemake, sizes.everything], folder)  # the notebooks once more, which a run in one go renders once
        dry = [timed(["snakemake", "-n", sizes.everything], folder) for _ in range(sizes.dry_runs)]
        assert all("Nothing to be done" in run.output for run in dry), dry[0].output
        verified = [timed(["phase2", "verify"], folder) for _ in range(sizes.dry_runs)] if not sizes.small_grid else dry
        trained = float(read_table(folder / cells)["seconds"].sum())
    whole = [grid, figures, rest, optimization, convolutions]
    return [
        Measured("everything: data to report and notebooks", [sum(run.seconds for run in whole) / 60], "min", 17),
        Measured("of which the report's small studies and probes", [rest.seconds / 60], "min", 3),
        Measured("of which optimization.pdf and the tangent kernel", [optimization.seconds / 60], "min", 3),
        Measured("of which convolutional networks", [convolutions.seconds / 60], "min", 3),
        Measured("memory of all processes", [max(run.memory for run in whole) / 1e9], "GB", 3),
        Measured("orchestration: wall over training seconds a core", [grid.seconds / (trained / CORES)], "x", 1.3),
        Measured("dry run with everything done", [run.seconds for run in dry], "s", 5),
        Measured("phase2 verify", [run.seconds for run in verified], "s", 10),
    ]


def _leave_a_small_grid(folder: Path) -> None:
    config, smoke = (
        yaml.safe_load((folder / name).read_text(encoding="utf-8")) for name in ("config.yaml", "config/smoke.yaml")
    )
    axes = {"init": ["kaiming", "normal_large"], "seed": [0]}
    grid = config["studies"]["mlp_grid"] | smoke["studies"]["mlp_grid"] | {"axes": axes, "figures": ["ranking"]}
    changed = yaml.safe_dump(config | {"studies": {"mlp_grid": grid}, "probes": {}})
    (folder / "config.yaml").write_text(changed, encoding="utf-8")


def _only_the_grid(folder: Path) -> str:
    """An overlay that leaves everything out but the large grid."""
    return _overlay(folder, "grid", lambda name, subject: name != "mlp_grid")


def _without(folder: Path, *chapters: str) -> str:
    """An overlay that leaves out some chapters, and with optimization the tangent kernel, which the report tells."""
    others = ("kernel_regime",) if "optimization" in chapters else ()
    return _overlay(folder, "-".join(chapters), lambda name, s: name in others or s.get("chapter") in chapters)


def _overlay(folder: Path, name: str, left_out: Callable[[str, dict[str, Any]], bool]) -> str:
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    nothing = {
        part: {key: None for key, subject in config[part].items() if left_out(key, subject)}
        for part in ("studies", "probes")
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(nothing), encoding="utf-8")
    return f"{name}.yaml"
