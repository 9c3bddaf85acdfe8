"""Cells, the training runs of a study, and packs, the cells that one job trains in lockstep."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import PurePosixPath
from typing import Any

from phase2.files import canonical_json, sha256_text
from phase2.study.config import Study
from phase2.study.training import AXES, Training, with_defaults, without_defaults


@dataclass(frozen=True)
class Cell:
    """One training run, fully determined by its spec: task, model, every axis value, seed and budget.

    A spec leaves out what equals its default, so that a new setting orphans no finished cell. The study that asks for a
    run is no part of it: a study may be renamed, and two that ask for one run share it.
    """

    study: str
    axes: tuple[tuple[str, Any], ...]  # in the order of the folders: the pack's axes, then the lanes'
    canonical: str

    @property
    def id(self) -> str:
        """The first 12 hex digits of the SHA-256 of the spec's canonical JSON."""
        return sha256_text(self.canonical)[:12]

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Everything that decides the result and is not at its default, as plain data."""
        return json.loads(self.canonical)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Everything that decides the result."""
        return with_defaults(self.spec)

    @property
    def pack_axes(self) -> dict[str, Any]:
        """The axis values that this cell shares with its whole pack."""
        return {name: value for name, value in self.axes if not is_lane(name)}

    @property
    def partition(self) -> PurePosixPath:
        """The hive folders of this cell below its study: activation=relu/seed=0/init=lsuv/schedule=cosine."""
        return hive(dict(self.axes))

    @property
    def pack(self) -> PurePosixPath:
        """The hive folders that this cell shares with its pack: activation=relu/seed=0."""
        return hive(self.pack_axes)


def hive(axes: Mapping[str, Any]) -> PurePosixPath:
    """The folders that axis values make: name=value each."""
    return PurePosixPath(*(f"{name}={value}" for name, value in axes.items()))


def is_lane(axis: str) -> bool:
    """Whether cells that differ along an axis alone are lanes of one pack."""
    return axis in AXES and AXES[axis].axis.lane


def cells_of(name: str, study: Study) -> list[Cell]:
    """Every cell of a study, in the order of its axes."""
    axes = study.axes.values()
    ordered = sorted(axes, key=is_lane)
    base = study.model_dump(mode="json", include=set(Training.model_fields))
    cells = []
    for values in product(*(axes[a] for a in ordered)):
        settings = base
        for axis, value in zip(ordered, values, strict=True):
            settings = _placed(settings, path_of(axis), value)
        canonical = canonical_json(without_defaults(settings))
        cells.append(Cell(name, tuple(zip(ordered, values, strict=True)), canonical))
    return cells


def path_of(axis: str) -> tuple[str, ...]:
    """Where in a cell's settings an axis puts its value: an option of the model, if it is no setting of all."""
    return AXES[axis].path if axis in AXES else ("model", "options", axis)


def _placed(spec: dict[str, Any], place: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A copy of `spec` with `value` at `place`."""
    key, *rest = place
    return {**spec, key: _placed(spec[key], tuple(rest), value) if rest else value}


def packs_of(cells: list[Cell]) -> dict[PurePosixPath, list[Cell]]:
    """The cells grouped into packs, by folder: those that share every axis but the lanes'."""
    packs: dict[PurePosixPath, list[Cell]] = {}
    for cell in cells:
        packs.setdefault(cell.pack, []).append(cell)
    return packs


def jobs_of(cells: list[Cell], study: Study) -> dict[PurePosixPath, list[Cell]]:
    """The cells grouped by the job that trains them, by folder: those of one seed, of all seeds, or all."""
    together = {"per_seed": (), "per_combination": ("seed",), "per_study": tuple(study.axes.values())}[study.jobs]
    jobs: dict[PurePosixPath, list[Cell]] = {}
    for cell in cells:
        axes = {name: value for name, value in cell.pack_axes.items() if name not in together}
        jobs.setdefault(hive(axes), []).append(cell)
    return jobs
