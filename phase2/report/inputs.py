"""What a report is made from: the configuration, the environment, the tables of studies and probes, and the claims."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from phase2.errors import UserError
from phase2.probe.options import Probe
from phase2.report.claims import Claim, read_claims
from phase2.run.config import Config
from phase2.study.config import Study
from phase2.study.factors import SEED
from phase2.study.score import Score
from phase2.study.section import Chapter, document_of
from phase2.study.tables import read_table

TABLES = ("cells", "ranking", "levels", "pairs", "variance", "divergence", "chosen", "score")
BASELINE = "baseline"  # of studies of images: what guessing and a linear model reach


@dataclass(frozen=True)
class StudyInputs:
    """A study's section of the configuration, its data's meta and its tables by name."""

    name: str
    study: Study
    meta: dict[str, Any]
    tables: dict[str, pd.DataFrame]

    @property
    def section(self) -> Study:
        return self.study

    @cached_property
    def axes(self) -> dict[str, list]:
        """The axes of the grid, seed included."""
        return self.study.axes.values()

    @property
    def factors(self) -> list[str]:
        return self.study.factors

    @property
    def seeds(self) -> int:
        return self.tables["cells"][SEED].nunique()

    @cached_property
    def score(self) -> Score:
        """By what its cells are compared."""
        return Score.read(self.tables["score"])

    def table(self, name: str, measure: str | None = None) -> pd.DataFrame:
        """The rows of a statistical table that are about one measure: the score, unless another is named."""
        table = self.tables[name]
        return table[table["measure"] == (measure or self.score.column)].reset_index(drop=True)

    def levels_of(self, kind: str) -> list[Any]:
        """The levels of a kind of component in use: its axis, or the one value set for the whole study."""
        fixed = getattr(self.study, kind, None) or getattr(self.study.model, kind)
        return list(self.axes.get(kind) or [fixed])


@dataclass(frozen=True)
class ProbeInputs:
    """A probe's section of the configuration, its tables by name, and what they were made from."""

    name: str
    options: Probe
    tables: dict[str, pd.DataFrame]
    provenance: dict[str, Any]

    @property
    def section(self) -> Probe:
        return self.options


Subject = StudyInputs | ProbeInputs


@dataclass(frozen=True)
class Record:
    """All that is known of a run."""

    config: Config
    environment: Mapping[str, Any]
    studies: list[StudyInputs]
    probes: list[ProbeInputs]
    claims: list[Claim]

    @property
    def subjects(self) -> list[Subject]:
        return [*self.studies, *self.probes]

    def of(self, chapter: Chapter) -> list[Subject]:
        """The studies and probes of a chapter, in the order of the configuration."""
        return [subject for subject in self.subjects if subject.section.chapter == chapter]

    def told_in(self, document: str) -> "Record":
        """The part of the record that one PDF tells."""
        names = {s.name for s in self.subjects if document_of(s.section.chapter) == document}
        studies = [study for study in self.studies if study.name in names]
        probes = [probe for probe in self.probes if probe.name in names]
        claims = [claim for claim in self.claims if document_of(claim.chapter or "foundations") == document]
        return Record(self.config, self.environment, studies, probes, claims)


def read_record(
    run_dir: Path, config: Config, datasets: Mapping[str, dict[str, Any]], environment: Mapping[str, Any]
) -> Record:
    """Reads a run's tables and claims from `run_dir`, results/<run>; `datasets` is the meta of each data set by name.

    Raises `UserError` for whatever is missing.
    """
    studies = [_read_study(run_dir, name, study, datasets) for name, study in config.studies.items()]
    probes = [_read_probe(run_dir, name, probe) for name, probe in config.probes.items()]
    return Record(config, environment, studies, probes, read_claims(run_dir / "claims.json"))


def _read_study(run_dir: Path, name: str, study: Study, datasets: Mapping[str, dict[str, Any]]) -> StudyInputs:
    folder = run_dir / "tables" / name
    tables = {table: read_table(folder / f"{table}.csv") for table in (*TABLES, BASELINE)}
    if tables[BASELINE].empty:
        del tables[BASELINE]
    return StudyInputs(name, study, datasets[study.task.dataset], tables)


def _read_probe(run_dir: Path, name: str, options: Probe) -> ProbeInputs:
    folder = run_dir / "tables" / name
    tables = {table: read_table(folder / f"{table}.csv") for table in options.tables}
    return ProbeInputs(name, options, tables, read_provenance(folder))


def read_provenance(folder: Path) -> dict[str, Any]:
    """What a probe's tables were made from."""
    path = folder / "provenance.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path} ({error}): delete it and run `snakemake report`") from None
