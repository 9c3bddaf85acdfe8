"""The mastery table: what a student of deep learning should know, build and measure, and what here shows it."""

from dataclasses import dataclass

import pandas as pd
import yaml

from phase2.report.latex import escape
from phase2.report.tabular import Table, wrapped
from phase2.source import ROOT

FILE = ROOT / "report" / "mastery.yaml"
KINDS = ("conceptual", "coding", "research")


@dataclass(frozen=True)
class Check:
    """One thing to master: understood (conceptual), built (coding) or measured (research), and what shows it."""

    part: str
    kind: str
    check: str
    tests: tuple[str, ...] = ()
    derivations: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()

    @property
    def evidence(self) -> list[tuple[str, str]]:
        """All that shows it: kind and name of each."""
        sources = (("test", self.tests), ("derivation", self.derivations), ("figure", self.figures))
        return [(kind, name) for kind, names in sources for name in names]


def mastery() -> list[Check]:
    """The rows of report/mastery.yaml; raises `TypeError` for a key that it should not have."""
    parts = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [_check(part, dict(row)) for part, rows in parts.items() for row in rows]


def _check(part: str, row: dict) -> Check:
    kind = next(kind for kind in KINDS if kind in row)
    return Check(part, kind, row.pop(kind), **{name: tuple(evidence) for name, evidence in row.items()})


def mastery_frame() -> pd.DataFrame:
    """The table as results/<run>/mastery.csv has it: part, kind, check, evidence."""
    rows = [(check.part, check.kind, check.check, "; ".join(map(" ".join, check.evidence))) for check in mastery()]
    return pd.DataFrame(rows, columns=["part", "kind", "check", "evidence"])


def mastery_table() -> Table:
    """The table for the companion's appendix."""
    rows, part = [], ""
    for check in mastery():
        shown = r"\par ".join(rf"\evidence{{{kind}}}{{{name}}}" for kind, name in check.evidence)
        rows.append([escape(check.part) if check.part != part else "", check.kind, escape(check.check), shown])
        part = check.part
    caption = "What was to be understood, built and measured, and the test, derivation or figure that shows it."
    heads = ["Part", "Kind", "Check", "Evidence"]
    return Table("mastery", caption, wrapped(62, 48, 130, 208), heads, rows, "mastery.csv", "report/mastery.yaml")
