"""Claims as they are printed: the verdict's mark, numbers, a line each; and the macros of a text written by hand."""

import json
import re
from pathlib import Path

import pytest
from finished_run import make_claim
from pdf import words_of

from phase2.errors import UserError
from phase2.report.claims import MARKS, claim_lines, claim_macros, read_claims
from phase2.report.typeset import typeset


@pytest.fixture
def read(tmp_path):
    """Reads claims through the file."""

    def through_file(*claims: dict):
        (tmp_path / "claims.json").write_text(json.dumps(claims))
        return read_claims(tmp_path / "claims.json")

    return through_file


def printed(folder, claims, body: str) -> str:
    """The words of a document with the macros of claims."""
    for name in ("source", "generated", "figures"):
        (folder / name).mkdir()
    (folder / "generated" / "claims.tex").write_text(claim_macros(claims))
    marks = "".join(rf"\newcommand{{{mark.removesuffix('{}')}}}{{<{verdict}>}}" for verdict, mark in MARKS.items())
    head = rf"\documentclass{{article}}\pdftrailerid{{}}{marks}\input{{generated/claims}}"
    (folder / "source" / "report.tex").write_text(rf"{head}\begin{{document}}{body}\end{{document}}")
    typeset(folder / "source", folder / "generated", folder / "figures", folder / "report.pdf")
    return words_of(folder / "report.pdf")


def test_a_run_without_claims_prints_none(read):
    assert read() == []
    assert claim_lines([]) == ""
    assert r"\newcommand{\val}" in claim_macros([])


@pytest.mark.parametrize("verdict", MARKS)
def test_a_text_by_hand_prints_a_claims_number_and_the_mark_of_its_verdict(tmp_path, read, verdict):
    claims = read(make_claim("networks degrade", verdict=verdict))
    words = printed(tmp_path, claims, r"Worse by \val{networks degrade}{gain}\claim{networks degrade}.")
    assert "Worse by +1.2 points [−0.4, 2.0]." in words
    assert verdict in words


@pytest.mark.parametrize("body", [r"\val{networks degrade}{loss}", r"\val{nothing}{gain}", r"\claim{nothing}"])
def test_a_claim_or_a_number_that_the_run_lacks_stops_the_build(tmp_path, read, body):
    with pytest.raises(UserError, match=r"phase2 Error: (This run has no claim|The claim `.*' lends no number)"):
        printed(tmp_path, read(make_claim("networks degrade")), body)


def test_a_line_tells_verdict_sentence_numbers_what_stands_behind_and_what_stood_in_the_way(read):
    supported, undecided = read(
        make_claim(), make_claim("b", verdict="cannot say", why="needs 8 seeds", numbers={}, seeds=1, registered=False)
    )
    first, second = claim_lines([supported, undecided]).split(r"\item")[1:]
    for part in (
        r"\supported{}",
        r"100\% of networks\_train",
        "Supported",
        r"$-$0.4",
        "5 seeds, 10,000 images, 632 steps",
    ):
        assert part in first
    assert "registered" in first
    for part in (r"\cannotsay{}", "Cannot say", "needs 8 seeds", "1 seed,", "exploratory"):
        assert part in second


@pytest.mark.parametrize("wrong", [{"verdict": "true"}, {"chapter": "nowhere"}, {"numbers": 3}])
def test_a_file_of_another_kind_is_refused_and_says_what_to_do(read, wrong):
    with pytest.raises(UserError, match=r"(?s)cannot read .*claims.json.*delete it and run"):
        read(make_claim(**wrong))


def test_marks_are_all_defined_for_the_papers():
    preamble = (Path(__file__).parents[2] / "report" / "preamble.tex").read_text()
    assert set(re.findall(r"\\newcommand\{(\\\w+)\}\{\$", preamble)) == {
        mark.removesuffix("{}") for mark in MARKS.values()
    }
