"""The report's shortest words: the abstract's sentences, and the answers of the conclusion."""

from typing import get_args

from phase2.report.conclusions import ALPHA, FEW_SEEDS, effects_of
from phase2.report.inputs import StudyInputs, get
from phase2.report.latex import count, escape
from phase2.report.macros import Ledger
from phase2.study.section import Document, document_of
from phase2.tex import macro_name
from phase2.words.levels import label

LEADS = ("Variance", "Best", "Failures")


def state_summary(studies: list[StudyInputs], ledger: Ledger) -> None:
    r"""Enters \<Document>Headlines, the leading sentences of the findings, \<Document>Cells, and \<Study>Answer."""
    for document in get_args(Document):
        _state_document(document, [s for s in studies if document_of(get(s.config, "chapter")) == document], ledger)
    for study in studies:
        text = " ".join([what_decides(study), which_is_best(study), what_fails(study)])
        ledger.state(study.name, "Answer", text, "ranking", "sentences drawn by code: phase2.report.summary")


def _state_document(document: str, studies: list[StudyInputs], ledger: Ledger) -> None:
    headlines, leads = [], LEADS if len(studies) == 1 else LEADS[:1]
    for study in studies:
        headlines += [rf"In \texttt{{{escape(study.name)}}}:"] if len(studies) > 1 else []
        headlines += [rf"\{macro_name(study.name, f'Lead {name}')}{{}}" for name in leads]
    how = f"first sentences of {', '.join(leads)}"
    ledger.state(None, f"{document} Headlines", " ".join(headlines), "ranking", how)
    cells = sum(len(study.tables["cells"]) for study in studies)
    ledger.state(
        None, f"{document} Cells", count(cells), "cells", f"rows of the tables of cells told in {document}.pdf"
    )


def what_decides(study: StudyInputs) -> str:
    """Single factors or their combinations."""
    effects = effects_of(study)
    if effects["share"].isna().all():
        return "Nothing varied with the settings, so the question stays open."
    joint = effects["term"].str.contains(":")
    if effects["share"][joint].sum() > effects["share"][~joint].sum():
        return "The choices cannot be made one at a time: most of what the design explains is in combinations."
    first = escape(label(effects[~joint].iloc[0]["term"]))
    return f"Most of what the design explains is due to single factors, and to {first} before the others."


def which_is_best(study: StudyInputs) -> str:
    """Whether there is a best recipe."""
    others = study.table("ranking").iloc[1:]
    if others.empty:
        return "There was a single recipe to judge."
    if study.seeds < FEW_SEEDS:
        return "With so few seeds, no recipe can be called the best."
    if (others["p_best"] < ALPHA).all():
        return "One recipe stands apart from all the others."
    return "No recipe is the best beyond doubt: others cannot be told apart from the first."


def what_fails(study: StudyInputs) -> str:
    """Whether any run failed."""
    table = study.tables["divergence"]
    if not (table["diverged"] + table["stuck"]).any():
        return "No run failed, so the scores tell the whole story."
    return "Some settings fail outright, which averages over the runs that finished would hide."
