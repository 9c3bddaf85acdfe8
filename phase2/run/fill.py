"""Work without Snakemake: prepare the data, train the cells that the store lacks, keep to a time budget.

A filled store travels (`phase2 store export`, `phase2 store import`), and the graph then restores from it.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from phase2 import registry
from phase2.data.sources import download, raw_folder, verify
from phase2.errors import UserError
from phase2.run.config import Config
from phase2.run.shipped import shipped_ids
from phase2.study.cell import Cell, cells_of, packs_of
from phase2.study.code import prepared_by
from phase2.study.config import Data, Study
from phase2.study.factors import SEED
from phase2.study.pack import Folders, fill_pack
from phase2.study.read import as_number
from phase2.study.receipt import write_receipt
from phase2.train.state import OutOfTime


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

    Studies come in their order in the configuration, and within each all packs of its first seed, then those of the
    next: whatever time there is, what is there is whole seeds of the first studies. The training under way when the
    time is over stops with its checkpoint, and goes on from there the next time. What a run has shipped is not trained.
    Studies without a cell as `where` says are passed over, and said to be; raises `UserError` if that is all of them.
    """
    deadline = time.monotonic() + 60 * minutes
    for name, chosen in to_train(config, studies, where, say).items():
        study = config.studies[name]
        packs = _seed_by_seed(packs_of(chosen), study)
        logs = Path("logs") / config.run
        folders = Folders(prepare(study.task.dataset, config.data), Path(), Path(), store, work, logs)
        for number, (pack, cells) in enumerate(packs.items(), start=1):
            if time.monotonic() > deadline:
                return False
            began = time.monotonic()
            told = f"{name} pack {number}/{len(packs)} ({pack})"
            try:
                _, trained = fill_pack(cells, study, folders, config.compute, deadline=deadline)
            except OutOfTime:
                say(f"{told}: stopped in training after {time.monotonic() - began:.1f} s, its checkpoint is in {work}")
                return False
            done = f"{len(trained)} trained, {len(cells) - len(trained)} in the store"
            say(f"{told}: {done}, {time.monotonic() - began:.1f} s")
    return True


def _seed_by_seed(packs: dict[PurePosixPath, list[Cell]], study: Study) -> dict[PurePosixPath, list[Cell]]:
    """The packs in the order of the study's seeds; those of one seed as they were."""
    place = study.axes.values()[SEED].index
    return dict(sorted(packs.items(), key=lambda pack: place(pack[1][0].pack_axes[SEED])))


def to_train(
    config: Config, studies: list[str], where: dict[str, list[str]], say: Callable[[str], None]
) -> dict[str, list[Cell]]:
    """The cells that `fill` sees to: those of each study as `where` says, but for what the run has shipped."""
    there = shipped_ids(config)
    found = _matching(config, studies, where, say)
    return {name: [cell for cell in cells if cell.id not in there] for name, cells in found.items()}


def _matching(
    config: Config, studies: list[str], where: dict[str, list[str]], say: Callable[[str], None]
) -> dict[str, list[Cell]]:
    """The cells of each study that has some as `where` says; one line tells of the others, and why."""
    found, passed_over = {}, []
    axes = {name: config.studies[name].axes.values() for name in studies}
    for name, levels in axes.items():
        there = {
            axis: [value for value in values if any(_reads(value, level) for level in levels.get(axis, []))]
            for axis, values in where.items()
        }
        if all(there.values()):
            found[name] = select(cells_of(name, config.studies[name]), there)
        else:
            lacking = [axis for axis in where if axis not in levels]
            why = f"no axis {', '.join(lacking)}" if lacking else "no cell with these values"
            passed_over.append(f"{name} ({why})")
    told = f"passed over: {', '.join(passed_over)}"
    if not found:
        known = ", ".join(dict.fromkeys(axis for levels in axes.values() for axis in levels))
        raise UserError(f"no study has such a cell; {told}. Known axes: {known}")
    if passed_over:
        say(told)
    return found
