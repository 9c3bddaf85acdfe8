"""What a report is made from: the configuration, the environment, the data's meta, the tables of studies and probes."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from phase2.errors import UserError
from phase2.study.factors import SEED, factors_of
from phase2.study.score import Score
from phase2.study.tables import read_table

TABLES = ("cells", "ranking", "levels", "pairs", "variance", "divergence", "score")
DEFINED = ("activation", "norm", "init", "schedule")  # the kinds of parts that are factors with definitions


@dataclass(frozen=True)
class StudyInputs:
    """A study's section of the configuration, its data's meta and its tables by name."""

    name: str
    config: dict[str, Any]
    meta: dict[str, Any]
    tables: dict[str, pd.DataFrame]

    @cached_property
    def axes(self) -> dict[str, list]:
        """The axes of the grid, seed included."""
        return {axis: levels for axis, levels in get(self.config, "axes").items() if levels is not None}

    @property
    def factors(self) -> list[str]:
        return factors_of(self.axes)

    @property
    def seeds(self) -> int:
        return self.tables["cells"][SEED].nunique()

    @property
    def classes(self) -> int:
        return len(get(self.meta, "classes"))

    @cached_property
    def score(self) -> Score:
        """By what its cells are compared."""
        return Score.read(self.tables["score"])

    def table(self, name: str, measure: str | None = None) -> pd.DataFrame:
        """The rows of a statistical table that are about one measure: the score, unless another is named."""
        table = self.tables[name]
        return table[table["measure"] == (measure or self.score.column)].reset_index(drop=True)

    def levels_of(self, kind: str) -> list[str]:
        """The levels of a kind of component in use: its axis, or the one value set for the whole study."""
        fixed = self.config.get(kind) or get(self.config, "model").get(kind)
        return list(self.axes.get(kind) or [fixed])


@dataclass(frozen=True)
class ProbeInputs:
    """A probe's section of the configuration, its tables by name, and what they were made from."""

    name: str
    config: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    provenance: dict[str, Any]


def read_study(run_dir: Path, name: str, config: dict[str, Any], datasets: dict[str, Any]) -> StudyInputs:
    """Reads a study's tables from `run_dir`/tables/<name>/; raises `UserError` for one that is missing."""
    section = get(config, "studies", name)
    meta = get(datasets, get(section, "task", "dataset"), kind="data meta")
    return StudyInputs(name, section, meta, {t: read_table(run_dir / "tables" / name / f"{t}.csv") for t in TABLES})


def read_environment(run_dir: Path) -> dict[str, Any]:
    """Reads `run_dir`/environment.json."""
    path = run_dir / "environment.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path} ({error}): run `snakemake report`, which records it") from None


def get(content: dict[str, Any], *keys: str, kind: str = "configuration") -> Any:
    """`content[key][key]...`; raises `UserError` that names the key which is missing."""
    value: Any = content
    for depth, key in enumerate(keys):
        if not isinstance(value, dict) or key not in value:
            place = ".".join(keys[: depth + 1])
            raise UserError(f"the {kind} has no {place!r}: expected it for the report; record the run again")
        value = value[key]
    return value
