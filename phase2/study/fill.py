"""Work without Snakemake: prepare the data, train the cells that the store lacks, keep to a time budget.

A filled store travels (`phase2 store export`, `phase2 store import`), and the graph then restores from it.
"""

import time
from collections.abc import Callable
from pathlib import Path

from phase2 import registry
from phase2.data.sources import download, verify
from phase2.errors import UserError
from phase2.study.cell import Cell, cells_of, packs_of
from phase2.study.config import Config, Data
from phase2.study.pack import Folders, fill_pack


def prepare(dataset: str, data: Data) -> Path:
    """The folder of a data set's prepared arrays; downloaded, verified and prepared if it is not there yet."""
    raw, prepared = data.folder / "raw" / dataset, data.folder / "prepared" / dataset
    if not (prepared / "meta.json").exists():
        download(dataset, raw, mirror=data.mirror)
        verify(dataset, raw)
        registry.load("dataset", dataset)(raw, prepared)
    return prepared


def select(cells: list[Cell], where: dict[str, str]) -> list[Cell]:
    """The cells whose axis values read as `where` says; raises `UserError` if there are none."""
    chosen = [c for c in cells if all(str(dict(c.axes).get(axis)) == value for axis, value in where.items())]
    if not chosen:
        wanted = ", ".join(f"{axis}={value}" for axis, value in where.items())
        known = "; ".join(f"{axis}: {', '.join(map(str, values))}" for axis, values in _values(cells).items())
        raise UserError(f"no cell of {cells[0].study} has {wanted}. Its axes: {known}")
    return chosen


def _values(cells: list[Cell]) -> dict[str, list[object]]:
    return {axis: list(dict.fromkeys(dict(cell.axes)[axis] for cell in cells)) for axis, _ in cells[0].axes}


def fill(
    config: Config,
    studies: list[str],
    where: dict[str, str],
    store: Path,
    work: Path,
    minutes: float,
    say: Callable[[str], None],
) -> bool:
    """Trains packs into the store until none is missing (True) or `minutes` have passed (False).

    Studies without a cell as `where` says are passed over, and said to be; raises `UserError` if that is all of them.
    A pack that is under way when the time is over is finished: give a budget with room for one.
    """
    deadline = time.monotonic() + 60 * minutes
    for name, chosen in _matching(config, studies, where, say).items():
        study = config.studies[name]
        packs = packs_of(chosen)
        folders = Folders(prepare(study.task.dataset, config.data), Path(), Path(), store, work)
        for number, (pack, cells) in enumerate(packs.items(), start=1):
            if time.monotonic() > deadline:
                return False
            began = time.monotonic()
            _, trained = fill_pack(cells, study, folders, config.compute)
            done = f"{len(trained)} trained, {len(cells) - len(trained)} in the store"
            say(f"{name} pack {number}/{len(packs)} ({pack}): {done}, {time.monotonic() - began:.1f} s")
    return True


def _matching(
    config: Config, studies: list[str], where: dict[str, str], say: Callable[[str], None]
) -> dict[str, list[Cell]]:
    """The cells of each study that has some as `where` says; one line tells of the others, and why."""
    matching, passed_over = {}, []
    axes = {name: config.studies[name].axes.values() for name in studies}
    for name in studies:
        try:
            matching[name] = select(cells_of(name, config.studies[name]), where)
        except UserError:
            lacking = [axis for axis in where if axis not in axes[name]]
            why = f"no axis {', '.join(lacking)}" if lacking else "no cell with these values"
            passed_over.append(f"{name} ({why})")
    told = f"passed over: {', '.join(passed_over)}"
    if not matching:
        known = ", ".join(dict.fromkeys(axis for of_study in axes.values() for axis in of_study))
        raise UserError(f"no study has such a cell; {told}. Known axes: {known}")
    if passed_over:
        say(told)
    return matching
