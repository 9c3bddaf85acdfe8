"""What .github/ holds is what its readers take: workflow, issue forms, and make targets that exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))


def targets() -> set[str]:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    return set(phony[1].split()) - {"FORCE"}


def jobs() -> dict[str, Any]:
    return yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text())["jobs"]


def test_the_workflow_makes_targets_that_exist() -> None:
    commands = [step["run"] for job in jobs().values() for step in job["steps"] if "run" in step]
    made = {target for command in commands if command.startswith("make ") for target in command.split()[1:]}
    assert made >= {"lint", "quick", "test"}
    assert made <= targets()


def test_the_workflow_takes_actions_by_their_major_version() -> None:
    actions = [step["uses"] for job in jobs().values() for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", action) for action in actions)


def test_the_quick_tests_run_on_each_python_that_pyproject_admits() -> None:
    admits = re.search(r'^requires-python = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert admits
    pythons = [f"3.{minor}" for minor in range(30) if SpecifierSet(admits[1]).contains(f"3.{minor}.0")]
    assert jobs()["quick"]["strategy"]["matrix"]["python"] == pythons


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_asks_questions_that_can_be_told_apart(path: Path) -> None:
    form = yaml.safe_load(path.read_text())
    assert {"name", "description", "body"} <= form.keys()
    ids = [field["id"] for field in form["body"]]
    assert len(set(ids)) == len(ids)
    assert all(field["type"] in ("input", "textarea") and field["attributes"]["label"] for field in form["body"])


def test_targets_that_a_pull_request_is_asked_for_exist() -> None:
    asked = re.findall(r"`make ([a-z ]+)`", (GITHUB / "pull_request_template.md").read_text())
    assert set(" ".join(asked).split()) <= targets()
