"""Work without Snakemake: prepare the data, train the cells that the store lacks, keep to a time budget.

A filled store travels (`phase2 store export`, `phase2 store import`), and the graph then restores from it.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path

from phase2 import registry
from phase2.data.sources import download, raw_folder, verify
from phase2.errors import UserError
from phase2.run.config import Config
from phase2.study.cell import Cell, cells_of, packs_of
from phase2.study.code import prepared_by
from phase2.study.config import Data
from phase2.study.pack import Folders, fill_pack
from phase2.study.read import as_number
from phase2.study.receipt import write_receipt


def prepare(dataset: str, data: Data) -> Path:
    """The folder of a data set's prepared arrays; downloaded, verified and prepared if today's code has not done it."""
    raw, prepared = data.folder / "raw" / dataset, data.folder / "prepared" / dataset
    receipt, params = prepared / "receipt.json", prepared_by(dataset)
    if not (prepared / "meta.json").exists() or _receipt_params(receipt) != params:
        download(dataset, raw, mirror=data.mirror)
        verify(dataset, raw)
        registry.load("dataset", dataset)(raw_folder(dataset, data.folder), prepared)
        write_receipt(receipt, {"params": params}, {}, {})
    return prepared


def _receipt_params(receipt: Path) -> dict[str, str | None] | None:
    try:
        return json.loads(receipt.read_text(encoding="utf-8"))["made_from"]["params"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def where_of(pairs: list[str] | None) -> dict[str, list[str]]:
    """The values by axis of axis=value pairs; raises `UserError` for a word that is none."""
    wrong = [pair for pair in pairs or [] if "=" not in pair]
    if wrong:
        overlay = wrong[0].endswith((".yaml", ".yml"))
        mend = "--configfile before each overlay" if overlay else "for example activation=relu"
        raise UserError(f"{wrong[0]!r} is not axis=value: write {mend}")
    where: dict[str, list[str]] = {}
    for axis, _, value in (pair.partition("=") for pair in pairs or []):
        where.setdefault(axis, []).append(value)
    return where


def select(cells: list[Cell], where: dict[str, list[str]]) -> list[Cell]:
    """The cells that have on each axis of `where` one of its values; raises `UserError` for a value that none has."""
    axes = _values(cells)
    for axis, values in where.items():
        for value in values:
            if not any(_reads(value, level) for level in axes.get(axis, [])):
                known = "; ".join(f"{name}: {', '.join(map(str, levels))}" for name, levels in axes.items())
                raise UserError(f"no cell of {cells[0].study} has {axis}={value}. Its axes: {known}")
    return [
        cell
        for cell in cells
        if all(any(_reads(value, dict(cell.axes)[axis]) for value in values) for axis, values in where.items())
    ]


def _reads(text: str, level: object) -> bool:
    """Whether a text is how a level is written: 1e-3 is 0.001."""
    return text == str(level) or (not isinstance(level, str) and as_number(text) == level)


def _values(cells: list[Cell]) -> dict[str, list[object]]:
    return {axis: list(dict.fromkeys(dict(cell.axes)[axis] for cell in cells)) for axis, _ in cells[0].axes}


def fill(
    config: Config,
    studies: list[str],
    where: dict[str, list[str]],
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
    config: Config, studies: list[str], where: dict[str, list[str]], say: Callable[[str], None]
) -> dict[str, list[Cell]]:
    """The cells of each study that has some as `where` says; one line tells of the others, and why."""
    matching, passed_over = {}, []
    axes = {name: config.studies[name].axes.values() for name in studies}
    for name, levels in axes.items():
        there = {
            axis: [value for value in values if any(_reads(value, level) for level in levels.get(axis, []))]
            for axis, values in where.items()
        }
        if all(there.values()):
            matching[name] = select(cells_of(name, config.studies[name]), there)
        else:
            lacking = [axis for axis in where if axis not in levels]
            why = f"no axis {', '.join(lacking)}" if lacking else "no cell with these values"
            passed_over.append(f"{name} ({why})")
    told = f"passed over: {', '.join(passed_over)}"
    if not matching:
        known = ", ".join(dict.fromkeys(axis for levels in axes.values() for axis in levels))
        raise UserError(f"no study has such a cell; {told}. Known axes: {known}")
    if passed_over:
        say(told)
    return matching
