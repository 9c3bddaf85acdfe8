"""A run without what failed: what goes with it, and what its configuration is."""

import pytest
from studies import STUDY, content

from phase2.errors import UserError
from phase2.run.config import validate
from phase2.run.missing import lacking, without, without_configuration

AXES = {"axes": {"activation": ["relu"], "seed": [0]}}
HEALTH = {"probe": "unit_health", "question": "?", "study": "grid", "batch": 20, "figures": []}
SHAPES = {"probe": "activation_shapes", "question": "?", "activations": ["relu"], "points": 11, "figures": []}


def whole() -> dict:
    return content() | {
        "studies": {"grid": STUDY, "other": STUDY | AXES},
        "probes": {"health": HEALTH, "shapes": SHAPES},
    }


@pytest.mark.parametrize(
    ("unfinished", "missing"),
    [
        ([None, "grid", "grid"], ["grid", "health"]),
        (["health"], ["health"]),
        (["other", "shapes"], ["other", "shapes"]),
        ([None], []),
    ],
)
def test_probes_go_with_the_study_that_they_read(unfinished: list, missing: list[str]):
    assert lacking(validate(whole()), unfinished) == missing


def test_what_is_missing_is_left_out_and_named_and_the_rest_is_as_it_was():
    before = whole()
    config = validate(without(before, ["grid", "health"]))
    assert (list(config.studies), list(config.probes)) == (["other"], ["shapes"])
    assert config.missing == ["grid", "health"]
    assert before == whole()
    assert validate(before).missing == []


def test_what_is_there_cannot_be_missing():
    with pytest.raises(UserError, match="missing: grid is there: remove it from the list"):
        validate(whole() | {"missing": ["grid"]})


def test_a_command_keeps_all_but_its_configuration():
    options = ["--cores", "all", "all", "-k", "--configfile", "a.yaml", "b.yaml", "--config", "x=1", "-q", "rules"]
    assert without_configuration(options) == ["--cores", "all", "all", "-k", "-q", "rules"]
    assert without_configuration(["--configfile=a.yaml", "-C", "x=1", "--profile", "p"]) == ["--profile", "p"]
