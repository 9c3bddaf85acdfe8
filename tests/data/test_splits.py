import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.data.splits import split, stratified_order
from phase2.errors import UserError

LABELS = st.lists(st.integers(0, 5), min_size=2, max_size=200).map(np.array)


@settings(deadline=None)
@given(LABELS, st.data())
def test_splits_are_disjoint_exact_sorted_and_nested(labels: np.ndarray, data: st.DataObject):
    n = len(labels)
    validation = data.draw(st.integers(0, n - 1))
    wanted = data.draw(st.integers(1, n - validation))
    train, held_out = split(labels, validation, wanted)
    everything, same_held_out = split(labels, validation)
    assert (len(train), len(held_out)) == (wanted, validation)
    assert sorted([*everything, *held_out]) == list(range(n))
    assert set(train) <= set(everything)
    assert all(np.diff(train) > 0)
    assert all(np.diff(held_out) > 0)
    np.testing.assert_array_equal(held_out, same_held_out)


@settings(deadline=None)
@given(LABELS, st.data())
def test_every_prefix_has_the_classes_in_proportion(labels: np.ndarray, data: st.DataObject):
    n = len(labels)
    k = data.draw(st.integers(0, n))
    counts = np.bincount(labels)
    found = np.bincount(labels[stratified_order(labels)[:k]], minlength=len(counts))
    bound = 0.5 + counts / n * (np.count_nonzero(counts) / 2)
    assert all(abs(found - k * counts / n) <= bound + 1e-9)


def test_classes_of_one_size_are_split_evenly():
    labels = np.repeat(np.arange(10), 100)
    for indices in split(labels, 200, 500):
        assert len(set(np.bincount(labels[indices]))) == 1


def test_the_split_is_fixed_and_shuffled_within_a_class():
    np.random.seed(1)  # noqa: NPY002 (the global state must not matter)
    order = stratified_order(np.repeat(np.arange(10), 100))
    digest = hashlib.sha256(order.astype("<i8").tobytes()).hexdigest()
    assert digest == "3795d7359f48f1d04b42ee26c5eafb8c8a3dd03c357ba4d8d9c749664bca1e00"
    assert not all(np.diff(order[order < 100]) > 0)


@pytest.mark.parametrize(("validation", "train"), [(10, None), (-1, None), (4, 7), (4, 0), (0, -3)])
def test_sizes_that_do_not_fit_are_named(validation: int, train: int | None):
    with pytest.raises(UserError, match=rf"training and {validation} validation samples out of 10"):
        split(np.zeros(10), validation, train)
