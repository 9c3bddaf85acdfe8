"""Levels, factors and combinations as a reader sees them, in one order everywhere."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import DESK

from phase2.words.levels import crossed, faceted, facets, label, printed, term_label


@pytest.mark.parametrize(
    ("name", "shown"),
    [("leaky_relu", "LeakyReLU"), ("normal_small", "N(0, 0.01²)"), ("celu", "celu"), (0.1, "0.1"), (2, "2")],
)
def test_known_names_are_pretty_and_unknown_ones_are_shown_as_they_are(name, shown):
    assert label(name) == shown


def test_interaction_is_a_product_of_factors():
    assert term_label("activation:init:schedule") == "activation × initialization × schedule"


def test_a_level_that_is_a_number_says_whose_it_is():
    assert list(printed(pd.Series([2, 8, 2], name="depth")).cat.categories) == ["depth 2", "depth 8"]


def test_unknown_levels_follow_the_known_ones_as_they_appear():
    names = printed(pd.Series(["celu", "tanh", "hardswish", "relu"], name="activation"))
    assert list(names.cat.categories) == ["ReLU", "tanh", "celu", "hardswish"]


@given(st.lists(st.tuples(*map(st.sampled_from, DESK.values())), min_size=1, unique=True), st.randoms())
def test_order_of_combinations_does_not_depend_on_the_order_of_rows(rows, random):
    shuffled = random.sample(rows, len(rows))
    one, other = (crossed(pd.DataFrame(r, columns=list(DESK)), list(DESK)) for r in (rows, shuffled))
    assert list(one.cat.categories) == list(other.cat.categories)
    assert len(one.cat.categories) == len(rows)


def test_factors_beyond_the_second_are_crossed_into_panels():
    table = pd.DataFrame({"a": ["x", "y"], "b": ["u", "u"], "c": ["v", "w"], "d": [1, 1]})
    assert facets(faceted(table, list("abcd"))) == (["x", "y"], ["u"], ["v · d 1", "w · d 1"])
    assert facets(faceted(table, ["a"])) == (["x", "y"], [""], [""])
