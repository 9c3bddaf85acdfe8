"""Every claim about a study asks for what the default configuration has, or the full one, and reads as one."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from phase2.claims import Claim, Evidence, Results
from phase2.run.claims import Subject, subjects
from phase2.run.config import load
from phase2.run.judge import load as claims_in
from phase2.source import ROOT
from phase2.study.config import Study
from phase2.study.score import Score, card_of_score

DESK = load([ROOT / "config.yaml"])
STUDIES = {
    name: study
    for overlay in ("full", "reference")
    for name, study in load([ROOT / "config.yaml", ROOT / "config" / f"{overlay}.yaml"]).studies.items()
} | DESK.studies
ALL = 45_000  # training images of a study that takes all
SCORE = Score.of(card_of_score("images"), classes=10)
CLAIMS = [(subject, claim) for subject in subjects(DESK) for claim in claims_in(subject.path)]


def made_up(name: str, study: Study) -> Results:
    """Results of a study's own axes, with numbers that say nothing."""
    draw, axes = np.random.default_rng(0), study.axes.values()
    cells = pd.DataFrame(list(product(*axes.values())), columns=list(axes))
    cells["clip"] = cells["clip"].astype(str) if "clip" in cells else "none"  # as a table of words is read
    numbers = {
        column: draw.normal(0.8, 0.01, len(cells)) for column in ("val_accuracy", "test_accuracy", "train_accuracy")
    }
    numbers |= {column: draw.normal(0.5, 0.01, len(cells)) for column in ("val_loss", "test_loss", "train_loss")}
    cells = cells.assign(**numbers, status="ok", steps=1000)
    epochs = pd.DataFrame(list(product(range(1, 11), ("train", "val"))), columns=["epoch", "split"])
    curves = cells.rename(columns={"epochs": "budget"}).merge(epochs, how="cross").assign(loss=0.5, accuracy=0.8)
    linear = pd.DataFrame({"model": ["majority", "logistic"], "val_score": [0.1, 0.5], "train": study.task.train})
    tables = {"cells": cells, "curves": curves, "baseline": linear}
    return Results(name, tables, axes, SCORE, images=study.task.train or ALL, steps=1000)


@pytest.mark.parametrize(("subject", "claim"), [pytest.param(s, c, id=c.name) for s, c in CLAIMS if s.kind == "study"])
def test_a_claim_about_a_study_asks_for_what_it_has(subject: Subject, claim: Claim):
    assert subject.name in STUDIES, f"{subject.path} is about a study that no configuration has"
    results = made_up(subject.name, STUDIES[subject.name])
    evidence = claim.criterion(results)
    assert isinstance(evidence, Evidence)
    assert evidence.numbers
    assert all(np.isfinite(number.value) for number in evidence.numbers.values())
    assert not claim.judge(results).why.startswith("needs"), "the configuration does not meet its own needs"


@pytest.mark.parametrize("claim", [pytest.param(c, id=c.name) for _, c in CLAIMS])
def test_a_claim_is_one_plain_sentence(claim: Claim):
    assert claim.sentence.endswith(".")
    assert claim.sentence.count(". ") == 0
    assert len(claim.sentence) < 200


def test_there_are_claims_enough_and_no_two_of_one_name():
    names = list({(subject.path, claim.name): claim.name for subject, claim in CLAIMS}.values())  # once a kind of probe
    assert len(names) >= 25
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("subject", "claim"), [pytest.param(s, c, id=c.name) for s, c in CLAIMS if s.kind == "study"])
def test_a_claim_that_reads_test_scores_says_so(subject: Subject, claim: Claim):
    results = made_up(subject.name, STUDIES[subject.name])
    other = results.cells.assign(test_accuracy=1 - results.cells["test_accuracy"], test_loss=9.0)
    read = claim.criterion(replace(results, tables={**results.tables, "cells": other})) != claim.criterion(results)
    assert read <= ("test" in claim.sentence)
