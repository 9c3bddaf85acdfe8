"""Claims of a run: found beside what they are about, judged on its tables, and dated by git."""

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from phase2 import registry
from phase2.claims import Evidence, Results, claim, studies
from phase2.errors import UserError
from phase2.run import registered as dates
from phase2.run.claims import Subject, subjects
from phase2.run.config import load as load_config
from phase2.run.judge import _check_names, _judged, load
from phase2.run.verdicts import listing
from phase2.source import ROOT
from phase2.study import provenance

WRITTEN = '''
from phase2.claims import Evidence, claim, exact

@claim()
def grass_is_green(study):
    """Grass is green."""
    return Evidence(True)
'''
TOLD = {
    "name": "grass is green",
    "subject": "depth",
    "sentence": "Grass is green.",
    "verdict": "denied",
    "why": "",
    "numbers": {"share": {"text": "12.0% [10.0, 14.0]"}},
    "seeds": 8,
    "images": 10000,
    "steps": 1000,
    "most_steps": 1000,
    "room": 0.99,
    "registered": False,
    "source": "phase2/claims/studies/depth.py:5",
}


def git(folder, *arguments: str) -> str:
    author = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    done = subprocess.run(["git", *author, *arguments], cwd=folder, check=True, capture_output=True, encoding="utf-8")
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with a commit before the claim was written, and one with it; gives a function of the commits."""
    monkeypatch.setattr(dates, "ROOT", tmp_path)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "nothing yet")
    path = tmp_path / "depth.py"
    commits = {"before": git(tmp_path, "rev-parse", "HEAD")}
    path.write_text(WRITTEN)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "the claim")
    commits["after"] = git(tmp_path, "rev-parse", "HEAD")
    dates._at.cache_clear()

    def criterion():
        """Named as the function in the file."""

    criterion.__name__ = "grass_is_green"

    def asked(*names: str) -> bool:
        return dates.registered(criterion, path, [commits.get(name) for name in names])

    asked.path = path
    return asked


def test_a_claim_is_registered_if_it_stood_there_when_the_cells_were_trained(repository):
    assert repository("after")


def test_cells_of_before_make_it_exploratory_and_one_is_enough(repository):
    assert not repository("before")
    assert not repository("after", "unknown")


def test_another_sentence_is_another_claim_and_a_comment_is_not(repository):
    repository.path.write_text("# said before\n" + WRITTEN)
    assert repository("after")
    repository.path.write_text(WRITTEN.replace("Grass is green.", "Grass is blue."))
    assert not repository("after")


def test_another_bound_or_helper_is_another_claim_and_another_claim_beside_it_is_not(repository):
    repository.path.write_text(f"BOUND = 0.5\n\n\n{WRITTEN}")
    assert not repository("after")
    repository.path.write_text(WRITTEN + WRITTEN.replace("grass_is_green", "snow_is_white"))
    assert repository("after")


def test_a_file_that_python_cannot_read_and_two_claims_of_one_name_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("phase2.run.judge.registry.module_of", lambda path: "no.such.module")
    path = tmp_path / "broken.py"
    path.write_text(WRITTEN)
    with pytest.raises(UserError, match=r"broken.py cannot be read \(ModuleNotFoundError.*with @claim\(\)"):
        load(path)
    path.write_text(WRITTEN + WRITTEN)
    with pytest.raises(UserError, match="two functions are called grass_is_green"):
        load(path)


def test_other_needs_are_another_claim(repository):
    repository.path.write_text(WRITTEN.replace("@claim()", "@claim(seeds=1)"))
    assert not repository("after")


def test_a_file_without_a_claim_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "empty.py"
    path.write_text("")
    monkeypatch.setattr("phase2.run.judge.registry.module_of", lambda path: studies.__name__)
    with pytest.raises(UserError, match="holds no claim"):
        load(path)


def test_the_listing_tells_verdict_numbers_scale_and_place(tmp_path):
    (tmp_path / "claims.json").write_text(json.dumps([TOLD]))
    printed = listing(tmp_path)
    assert "- grass is green (depth): denied" in printed
    assert "share 12.0% [10.0, 14.0]" in printed
    assert "8 seeds, 10,000 images, 1,000 steps, 99% of resampled seeds agree; exploratory" in printed
    (tmp_path / "claims.json").write_text(json.dumps([TOLD | {"most_steps": 4000}]))
    assert "10,000 images, 1,000 to 4,000 steps" in listing(tmp_path)
    assert printed.endswith("1 claim: 0 supported, 1 denied, 0 cannot say")


def test_a_claim_is_asked_for_by_words_and_an_unknown_one_is_told_with_the_nearest(tmp_path):
    (tmp_path / "claims.json").write_text(json.dumps([TOLD]))
    assert listing(tmp_path, "green") == listing(tmp_path)
    with pytest.raises(UserError, match="grass is green"):
        listing(tmp_path, "gras is green")


def test_a_run_without_claims_says_how_to_make_them(tmp_path):
    with pytest.raises(UserError, match=r"`make report`.*--run names another"):
        listing(tmp_path)


def test_a_claim_that_asks_for_what_the_run_lacks_says_so_and_one_that_fails_names_its_file():
    results = Results("depth", {"cells": pd.DataFrame({"seed": [0], "depth": [8]})})
    subject = Subject("depth", "study", Path("my_claims/depth.py"))

    @claim(seeds=1)
    def lacking(study: Results) -> Evidence:
        """Asks for a depth that there is not."""
        return Evidence(not study.rows(depth=32).empty)

    @claim(seeds=1)
    def failing(study: Results) -> Evidence:
        """Divides by zero."""
        return Evidence(1 / 0 > 1)

    told = _judged(lacking, subject, results)
    assert (told.verdict, told.why) == ("cannot say", "this run lacks what it asks for: depth/cells has no depth 32")
    with pytest.raises(UserError, match=r"my_claims/depth\.py: the claim 'failing' fails \(ZeroDivisionError"):
        _judged(failing, subject, results)


def test_claims_of_the_users_own_about_no_study_are_refused_with_the_nearest(tmp_path, monkeypatch):
    folder = tmp_path / "my_claims"
    folder.mkdir()
    (folder / "depth.py").write_text('from phase2.card import ClaimsCard\nCARD = ClaimsCard(of="dept")\n')
    monkeypatch.setattr(registry, "own_folders", lambda: (folder,))
    with pytest.raises(UserError, match=r"depth\.py: unknown study 'dept'.*depth"):
        list(subjects(load_config([ROOT / "config.yaml"])))


def test_two_claims_of_one_name_are_refused_with_both_places():
    with pytest.raises(UserError, match=r"a\.py:1 and b\.py:2 are both the claim 'grass is green'"):
        _check_names([{"name": "grass is green", "source": "a.py:1"}, {"name": "grass is green", "source": "b.py:2"}])
