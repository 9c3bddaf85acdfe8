"""Upkeep of the cell store: what it holds, what no configuration wants any more, and what killed runs left."""

import json
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phase2.data.prepared import open_prepared
from phase2.errors import UserError
from phase2.run.config import Config
from phase2.study.cell import Cell, cells_of
from phase2.study.code import metrics_of, training_code
from phase2.study.results import METRICS
from phase2.study.store import CORRUPT, IMPORTING, STAGING, Store, key_of
from phase2.study.training import with_defaults

STALE = 24 * 3600  # seconds after which no running job can be writing there
UNREADABLE = "unreadable"
UNKNOWN = "of a part of one's own"  # whose folder `parts` does not name here


@dataclass(frozen=True)
class Entry:
    """One entry of the store: the cell's id (the key's beginning, if its metrics cannot be read), and what it is."""

    key: str
    id: str
    bytes: int
    made_from: tuple[str, str, str] | None  # id, code, data
    row: dict[str, str]


def entries(store: Store) -> list[Entry]:
    """All entries, like ones together. Their files are not compared with their checksums."""
    listed = (_entry(key, store.folder(key)) for key in store)
    return sorted(listed, key=lambda entry: list(entry.row.values())[1:])


def _entry(key: str, folder: Path) -> Entry:
    size = _bytes(folder)
    try:
        metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        made_from = (metrics["id"], metrics["provenance"]["code"], metrics["provenance"]["data"])
        return Entry(key, metrics["id"], size, made_from, _row(metrics, size))
    except UserError:
        row = {"id": metrics["id"], "status": UNKNOWN, "MB": _megabytes(size)}
        return Entry(key, metrics["id"], size, made_from, row)
    except (OSError, ValueError, KeyError, TypeError):
        return Entry(key, key[:12], size, None, {"id": key[:12], "status": UNREADABLE, "MB": _megabytes(size)})


def _row(metrics: dict[str, Any], size: int) -> dict[str, str]:
    spec, provenance = with_defaults(metrics["spec"]), metrics["provenance"]
    model, optimizer, chooses = spec["model"], spec["optimizer"], metrics_of(spec)[0]
    return {
        "id": metrics["id"],
        "dataset": spec["task"]["dataset"],
        **{"model": model["name"], "activation": model["activation"], "norm": model["norm"]},
        **{"init": spec["init"], "schedule": spec["schedule"]},
        **{"optimizer": optimizer["name"], "lr": f"{optimizer['lr']:g}"},
        **{"seed": str(spec["seed"]), "epochs": str(spec["budget"]["epochs"])},
        "status": metrics["status"],
        "metric": chooses,
        "test": f"{metrics['final'][f'test_{chooses}']:.4f}" if metrics["final"] else "",
        **{"code": provenance["code"], "torch": provenance["packages"]["torch"]},
        "MB": _megabytes(size),
        **{"finished": provenance["finished"], "device": provenance["device"]},
    }


def table(listed: list[Entry]) -> str:
    """The entries as text, a line each, with a head and a line of totals."""
    columns = max((list(entry.row) for entry in listed), key=len, default=[])
    lines = [columns, *([entry.row.get(name) or "-" for name in columns] for entry in listed)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    states = [entry.row["status"] for entry in listed]
    counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    size = _megabytes(sum(entry.bytes for entry in listed))
    total = f"{len(listed)} entries of {len({entry.id for entry in listed})} cells, {size} MB"
    return "\n".join([*(text if columns else []), f"{total}: {counts}" if counts else total])


def find(listed: list[Entry], cells: Iterable[str]) -> list[Entry]:
    """The entries of the cells with these ids, each written whole or by a beginning that only one has."""
    found = []
    for wanted in cells:
        ids = sorted({entry.id for entry in listed if entry.id.startswith(wanted)})
        if len(ids) != 1:
            several = f"is the beginning of {len(ids)} cells ({', '.join(ids[:5])} ...): write more digits of it"
            none = "is no cell of the store: `phase2 store list` prints those that it has"
            raise UserError(f"{wanted!r} {several if ids else none}")
        found += [entry for entry in listed if entry.id == ids[0]]
    return found


def forget(store: Store, cells: Iterable[Cell], prepared: Path) -> None:
    """Drops what the store has of these cells by today's code and data: the next job trains them."""
    data = open_prepared(prepared).hash
    for cell in cells:
        store.drop(key_of(cell, training_code(cell.settings), data))


class Wanted:
    """What configurations want of the store, with today's code and the data as it is prepared here."""

    def __init__(self, configs: Iterable[Config]):
        self.keys: set[str] = set()
        self.cells: set[tuple[str, str, str | None]] = set()
        for config in configs:
            for name, study in config.studies.items():
                data = _hash(config.data.folder / "prepared" / study.task.dataset)
                for cell in cells_of(name, study):
                    self._add(cell, training_code(cell.settings), data)

    def _add(self, cell: Cell, code: str, data: str | None) -> None:
        self.cells.add((cell.id, code, data))
        if data:
            self.keys.add(key_of(cell, code, data))

    def has(self, entry: Entry) -> bool:
        """Whether an entry is wanted. Where data is not prepared here, it may be of any."""
        if entry.made_from is None:
            return False
        cell, code, data = entry.made_from
        return not self.cells.isdisjoint({(cell, code, data), (cell, code, None)})


def _hash(prepared: Path) -> str | None:
    return open_prepared(prepared).hash if (prepared / "meta.json").exists() else None


def debris(store: Store) -> list[Path]:
    """Damaged entries that were set aside, and what a killed process left of an entry that it was writing."""
    left = [path for prefix in (STAGING, IMPORTING) for path in sorted(store.root.glob(f"{prefix}*"))]
    aside = sorted((store.root / CORRUPT).glob("*"))
    return aside + [path for path in left if time.time() - path.stat().st_mtime > STALE]


def dead_packs(work: Path, wanted: Wanted) -> list[Path]:
    """Work folders of packs that were begun and are not wanted any more; also those of which only the lock is left."""
    folders = sorted({path.with_suffix("") for path in work.glob("*")})
    return [folder for folder in folders if not _resumes(folder, wanted)]


def _resumes(folder: Path, wanted: Wanted) -> bool:
    with suppress(OSError, ValueError, TypeError):
        return set(json.loads((folder / "lanes.json").read_text(encoding="utf-8"))) <= wanted.keys
    return False


def remove(store: Store, unwanted: Iterable[Entry], paths: Iterable[Path], packs: Iterable[Path]) -> None:
    """Removes entries, debris and the work folders of packs, but for a pack that is being trained."""
    from phase2.study.pack import only_here  # imports torch

    for entry in unwanted:
        store.drop(entry.key)
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
    for folder in packs:
        with suppress(UserError), only_here(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def megabytes(paths: Iterable[Path]) -> str:
    """The size of all files below folders, in MB."""
    return _megabytes(sum(map(_bytes, paths)))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f}"
