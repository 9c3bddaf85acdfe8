"""Packs against one process a cell: the same cells on the same machine, from process start to files in the store.

Claim: at least 10 times as many cells a minute for smoke-sized cells, 3 times on the default grid.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from phase2.bench import Measured, interleaved, prepare_apart, timed
from phase2.run.config import load
from phase2.source import ROOT
from phase2.study.cell import Cell, cells_of, packs_of

BOUNDS = {"smoke-sized cells": 10, "default grid": 3}


@dataclass(frozen=True)
class Sizes:
    grids: tuple[str, ...]
    alone: int  # cells of the pack that are also trained alone, one process each
    repeats: int


FULL = Sizes(grids=("smoke-sized cells", "default grid"), alone=4, repeats=3)
TINY = Sizes(grids=("smoke-sized cells",), alone=1, repeats=1)


def measure(sizes: Sizes) -> list[Measured]:
    smoke, desk = ROOT / "config" / "smoke.yaml", ROOT / "config.yaml"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configs = {"smoke-sized cells": _smoke_sized_grid(folder / "grid.yaml", desk, smoke), "default grid": desk}
        ratios = {grid: _ratios(configs[grid], folder, sizes) for grid in sizes.grids}
    return [
        Measured(f"packs against processes, {grid}", values, "x", BOUNDS[grid], at_least=True)
        for grid, values in ratios.items()
    ]


def _smoke_sized_grid(path: Path, desk: Path, smoke: Path) -> Path:
    """The default grid's lanes on smoke's task, network and budget."""
    content = yaml.safe_load(desk.read_text(encoding="utf-8"))
    small = yaml.safe_load(smoke.read_text(encoding="utf-8"))["studies"]["mlp_grid"]
    content["studies"]["mlp_grid"] |= {key: small[key] for key in ("task", "model", "budget")}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def _ratios(config: Path, folder: Path, sizes: Sizes) -> list[float]:
    """Seconds a cell with a process for each, over seconds a cell in a pack, by repetition."""
    study = load([config]).studies["mlp_grid"]
    prepare_apart(study.task.dataset, folder / "data")
    (folder / "config.yaml").write_text(config.read_text(encoding="utf-8"), encoding="utf-8")
    pack = next(iter(packs_of(cells_of("mlp_grid", study)).values()))
    chosen = pack[:: len(pack) // sizes.alone][: sizes.alone]

    def alone() -> float:
        return sum(_fill([cell], dict(cell.axes), folder) for cell in chosen) / len(chosen)

    def together() -> float:
        return _fill(pack, pack[0].pack_axes, folder) / len(pack)

    apart, packed = interleaved(sizes.repeats, alone, together)
    return [a / p for a, p in zip(apart, packed, strict=True)]


def _fill(cells: list[Cell], where: dict, folder: Path) -> float:
    """Seconds to train cells in a fresh process into an empty store."""
    with tempfile.TemporaryDirectory(dir=folder) as store:
        axes = [f"{axis}={value}" for axis, value in where.items()]
        run = timed(["phase2", "fill", *axes, "--study", "mlp_grid", "--store", store], cwd=folder)
    assert f"{len(cells)} trained" in run.output, run.output
    return run.seconds
