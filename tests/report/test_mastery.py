"""Every row of the mastery table has evidence, and the evidence is there."""

import ast
from pathlib import Path

import pytest

from phase2.derive.catalog import DERIVATIONS
from phase2.report.mastery import Check, mastery, mastery_frame, mastery_table
from phase2.run.config import load

MASTERY = mastery()
ROOT = Path(__file__).parents[2]
DESK = load([ROOT / "config.yaml"])
FIGURES = {f"{name}/{figure}" for name, subject in (DESK.studies | DESK.probes).items() for figure in subject.figures}


def functions_in(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("check", MASTERY, ids=lambda check: check.check)
def test_a_row_has_evidence_that_exists(check: Check):
    assert check.evidence, "a row without evidence"
    for test in check.tests:
        file, name = test.split("::")
        assert name in functions_in(ROOT / file), f"no test {test}"
    assert set(check.derivations) <= set(DERIVATIONS)
    assert set(check.figures) <= FIGURES


def test_every_derivation_and_every_kind_of_check_is_in_the_table():
    assert {name for check in MASTERY for name in check.derivations} == set(DERIVATIONS)
    assert {check.kind for check in MASTERY} == {"conceptual", "coding", "research"}


def test_the_table_and_its_file_have_a_row_a_check_with_all_its_evidence():
    frame, printed = mastery_frame(), mastery_table().long()
    assert list(frame.check) == [check.check for check in MASTERY]
    for check, evidence in zip(MASTERY, frame.evidence, strict=True):
        assert [tuple(e.split(" ", 1)) for e in evidence.split("; ")] == check.evidence
    assert printed.count(r"\evidence{") == sum(len(check.evidence) for check in MASTERY)
