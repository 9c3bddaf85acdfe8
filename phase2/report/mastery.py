"""The mastery table: what a student of deep learning should know, build and measure, and what here shows it.

Evidence is a test (`tests/nn/test_norm.py::test_...`), a derivation (a name of `phase2.derive.catalog`) or a figure
(`<study or probe>/<figure>` of config.yaml). A row without evidence, or with evidence that is not there, fails a test.
"""

import pandas as pd

from phase2.report.latex import escape
from phase2.report.mastery_check import Check
from phase2.report.mastery_convolutions import CONVOLUTIONS
from phase2.report.mastery_foundations import FOUNDATIONS
from phase2.report.mastery_optimization import OPTIMIZATION
from phase2.report.tabular import Table, wrapped

MASTERY: tuple[Check, ...] = (*FOUNDATIONS, *OPTIMIZATION, *CONVOLUTIONS)


def mastery_frame() -> pd.DataFrame:
    """The table as results/<run>/mastery.csv has it: part, kind, check, evidence."""
    rows = [(check.part, check.kind, check.check, "; ".join(map(" ".join, check.evidence))) for check in MASTERY]
    return pd.DataFrame(rows, columns=["part", "kind", "check", "evidence"])


def mastery_table() -> Table:
    """The table for the companion's appendix."""
    table = mastery_frame()
    parts = table["part"].mask(table["part"].eq(table["part"].shift()), "")
    evidence = [r"\par ".join(rf"\evidence{{{kind}}}{{{name}}}" for kind, name in check.evidence) for check in MASTERY]
    named = zip(parts, table["kind"], table["check"], evidence, strict=True)
    rows = [[escape(part), kind, escape(check), shown] for part, kind, check, shown in named]
    caption = "What was to be understood, built and measured, and the test, derivation or figure that shows it."
    heads = ["Part", "Kind", "Check", "Evidence"]
    return Table("mastery", caption, wrapped(62, 48, 130, 208), heads, rows, "mastery.csv", "phase2.report.mastery")
