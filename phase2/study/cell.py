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

# Cells that differ only along these axes are lanes of one pack: they change numbers in a step, never its graph.
LANE_AXES = ("init", "schedule", "lr", "weight_decay", "clip", "clip_value")

# What a study says besides how its cells are trained.
UNTRAINED = ("axes", "keep", "jobs", "figures", "question", "chapter")

# Where in a cell's spec each axis puts its value.
PLACES: dict[str, tuple[str, ...]] = {
    "model": ("model", "name"),
    "backend": ("model", "options", "backend"),
    "head": ("model", "options", "head"),
    "pixels": ("task", "pixels"),
    "activation": ("model", "activation"),
    "norm": ("model", "norm"),
    "dropout": ("model", "dropout"),
    "width": ("model", "width"),
    "depth": ("model", "depth"),
    "init": ("init",),
    "schedule": ("schedule",),
    "optimizer": ("optimizer", "name"),
    "lr": ("optimizer", "lr"),
    "weight_decay": ("optimizer", "weight_decay"),
    "clip": ("clip",),
    "clip_value": ("clip_value",),
    "epochs": ("budget", "epochs"),
    "batch_size": ("budget", "batch_size"),
    "seed": ("seed",),
}


@dataclass(frozen=True)
class Cell:
    """One training run, fully determined by its spec: task, model, every axis value, seed and budget.

    The study that asks for it is no part of the spec: a study may be renamed, and two that ask for one run share it.
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
        """Everything that decides the result, as plain data."""
        return json.loads(self.canonical)

    @property
    def pack_axes(self) -> dict[str, Any]:
        """The axis values that this cell shares with its whole pack."""
        return {name: value for name, value in self.axes if name not in LANE_AXES}

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


def cells_of(name: str, study: Study) -> list[Cell]:
    """Every cell of a study, in the order of its axes."""
    axes = study.axes.values()
    ordered = [a for a in axes if a not in LANE_AXES] + [a for a in axes if a in LANE_AXES]
    base = study.model_dump(mode="json", exclude=set(UNTRAINED))
    cells = []
    for values in product(*(axes[a] for a in ordered)):
        spec = base
        for axis, value in zip(ordered, values, strict=True):
            spec = _placed(spec, PLACES[axis], value)
        cells.append(Cell(name, tuple(zip(ordered, values, strict=True)), canonical_json(spec)))
    return cells


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
