"""What a result was made with."""

import json
import subprocess
from pathlib import Path

import pytest

from phase2.study import provenance


def test_the_environment_is_plain_data_and_repeats():
    first, second = provenance.environment(), provenance.environment()
    assert first == second
    assert json.loads(json.dumps(first)) == first
    assert {"python", "packages", "platform", "cpu", "cores", "commit", "dirty", "commit_time"} == first.keys()
    assert first["packages"]["torch"].startswith("2.")


@pytest.mark.parametrize("git", ["missing", "not a repository"])
def test_without_git_there_is_no_commit_and_no_failure(git: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    if git == "missing":
        monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert provenance.commit() == {"commit": None, "dirty": False, "commit_time": None}


def test_a_commit_is_named_and_changes_to_it_are_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    (tmp_path / "code.py").write_text("x = 1\n")
    git("add", "code.py")
    git("commit", "-m", "first")
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    clean = provenance.commit()
    assert (clean["commit"], clean["dirty"]) == (git("rev-parse", "HEAD"), False)
    assert clean["commit_time"] > 1.7e9
    (tmp_path / "code.py").write_text("x = 2\n")
    provenance.commit.cache_clear()
    assert provenance.commit() == clean | {"dirty": True}


def test_the_commit_of_a_checkout_of_another_owner_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    me = ("-c", "user.name=a", "-c", "user.email=a@b")
    for arguments in (("init", "-q"), (*me, "commit", "-q", "--allow-empty", "-m", "first")):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own tests do so
    refused = subprocess.run(["git", "status"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "dubious ownership" in refused.stderr
    provenance.commit.cache_clear()
    assert provenance.commit()["commit"]


def test_a_package_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("torch", "no-such-package"))
    packages = provenance.environment()["packages"]
    assert packages["no-such-package"] is None


def test_cells_of_several_releases_or_devices_are_told_and_others_not(tmp_path: Path):
    made_with = {"same": ["2.14.1,cpu"] * 3, "mixed": ["2.14.1,cpu", "2.13.0,cpu", "2.14.1,cpu"], "none": []}
    for study, rows in made_with.items():
        (tmp_path / study).mkdir()
        (tmp_path / study / "cells.csv").write_text("\n".join(["torch,device", *rows, ""]))
    (said,) = provenance.mixtures(sorted(tmp_path.glob("*/cells.csv")))
    assert said.startswith("mixed mixes cells (1 with torch 2.13.0 on cpu, 2 with torch 2.14.1 on cpu)")
