"""Factors are found in one way, among a study's axes and among a table's columns."""

import pytest

from phase2.study.factors import factors_of

pytestmark = pytest.mark.quick


def test_factors_of_a_study_are_its_axes_without_the_seed():
    assert factors_of({"init": [], "seed": [], "depth": []}) == ["init", "depth"]
    assert factors_of(["init", "seed", "rank"]) == ["init", "rank"]


@pytest.mark.parametrize(
    ("columns", "before"),
    [
        ("id study init seed depth status test_accuracy", "status"),
        ("id init seed depth study status", "status"),
        ("measure rank init depth mean low", "mean"),
        ("init depth cells diverged", "cells"),
        ("init depth seed layer", "seed"),
    ],
)
def test_factors_of_a_table_stand_before_what_was_found(columns: str, before: str):
    assert factors_of(columns.split(), before) == ["init", "depth"]


def test_those_with_a_place_of_their_own_are_left_out():
    assert factors_of(["init", "lr", "depth", "seed"], without=["lr", "init"]) == ["depth"]


def test_a_table_without_what_was_found_is_an_error():
    with pytest.raises(ValueError, match="'mean' is not in list"):
        factors_of(["init", "low"], before="mean")
