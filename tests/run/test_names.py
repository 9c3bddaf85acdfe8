"""A name that the run needs itself is refused when read."""

import re
from copy import deepcopy
from pathlib import Path
from typing import get_args

import pytest
from studies import ROOT, STUDY

from phase2.errors import UserError
from phase2.run.config import load, validate
from phase2.run.names import TAKEN
from phase2.study.section import COMPANION, Document

PROBE = {"question": "What?", "probe": "activation_shapes", "activations": ["relu"], "figures": []}


def named(studies: list[str], probes: list[str] = []) -> dict:  # noqa: B006
    return {
        "run": "test",
        "studies": {name: deepcopy(STUDY) for name in studies},
        "probes": {name: dict(PROBE) for name in probes},
    }


@pytest.mark.parametrize("name", ["optimization", "report", "derive", "companion"])
def test_a_name_that_the_run_needs_is_refused(name: str):
    with pytest.raises(UserError, match=rf"(?i)studies\.{name}: the run itself has .*{name}.*: choose another name"):
        validate(named([name]))
    with pytest.raises(UserError, match=rf"probes\.{name}: the run itself has"):
        validate(named(["grid"], [name]))


@pytest.mark.parametrize("name", ["cells", "tables", "figures", "notebooks", "receipts"])
def test_a_study_may_be_named_as_a_folder_of_the_run(name: str):
    """Its cells lie below cells/, its tables below tables/, its figures below figures/."""
    validate(named([name]))


def test_no_shipped_name_is_taken():
    for overlay in ([], *([path] for path in (ROOT / "config").glob("*.yaml"))):
        config = load([ROOT / "config.yaml", *overlay])
        assert not {*TAKEN} & {*config.studies, *config.probes}


def test_every_log_of_the_whole_run_is_taken():
    """A study's and a probe's log is named as it is, and beside those of the rules."""
    rules = "\n".join(path.read_text() for path in sorted(Path(ROOT, "rules").glob("*.smk")))
    logs = {*re.findall(r"logs/\{RUN\}/(\w+)\.log", rules), *get_args(Document), COMPANION}
    assert "derive" in logs
    assert logs <= {*TAKEN}
