"""The range test: what it records, when it ends, and the rates that it suggests."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import write_tiny

from phase2.data.prepared import open_prepared
from phase2.probe.range_test.measure import BREAKOUT, SMOOTHING, STOP, breakout, smooth, steepest
from phase2.probe.range_test.measure import measure as range_test

OPTIONS = {"width": 8, "depth": 1, "train": 150, "batch_size": 16, "steps": 40, "low": 1e-3, "high": 1e4}
OPTIONS |= {"optimizers": ["sgd", "adam"], "seeds": [0, 1]}
RATES = np.geomspace(1e-4, 1.0, 81)  # twenty a decade


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("prepared") / "tiny"))


@pytest.fixture(scope="module")
def tables(data):
    return range_test(SimpleNamespace(**OPTIONS), data)


def test_rates_grow_by_one_factor_from_the_lowest_to_the_highest(tables, data):
    rates = tables["losses"].query("optimizer == 'sgd' and seed == 0").lr
    assert rates.iloc[0] == pytest.approx(1e-3)
    np.testing.assert_allclose(rates.iloc[1:].to_numpy() / rates.iloc[:-1].to_numpy(), 1e7 ** (1 / 39))


def test_rates_that_the_network_bears_are_all_recorded_and_break_nothing_out(data):
    options = OPTIONS | {"high": 0.02, "batch_size": 150, "steps": 12}
    tables = range_test(SimpleNamespace(**options), data)
    for _, rows in tables["losses"].groupby(["optimizer", "seed"]):
        assert list(rows.step) == list(range(12))
        assert rows.lr.iloc[-1] == pytest.approx(0.02)
    assert tables["suggestions"].breakout.isna().all()


def test_every_optimizer_starts_from_the_seeds_init_on_its_first_minibatch(tables):
    first = tables["losses"].query("step == 0").pivot(index="seed", columns="optimizer", values="loss")
    assert (first.sgd == first.adam).all()
    assert first.sgd[0] != first.sgd[1]


def test_the_test_ends_where_the_smoothed_loss_is_far_above_its_least(tables):
    for _, rows in tables["losses"].groupby(["optimizer", "seed"]):
        assert list(rows.step) == list(range(len(rows)))
        assert np.isfinite(rows.loss).all()
        assert (rows.smoothed.iloc[:-1] <= STOP * rows.smoothed.iloc[:-1].cummin()).all()
    assert tables["losses"].groupby(["optimizer", "seed"]).step.max().max() < 39
    over = tables["losses"].groupby(["optimizer", "seed"]).smoothed
    assert (over.last() > STOP * over.min()).any()


def test_suggestions_are_of_each_seed_and_the_fall_is_before_the_breakout(tables):
    suggestions = tables["suggestions"]
    assert list(suggestions.columns) == ["optimizer", "seed", "steepest", "breakout"]
    assert list(suggestions.optimizer) == ["sgd", "sgd", "adam", "adam"]
    assert (suggestions.steepest < suggestions.breakout).all()


def test_a_step_that_is_not_finite_ends_the_test_and_is_a_breakout(data):
    options = OPTIONS | {"low": 1e-3, "high": 1e36, "steps": 14, "optimizers": ["sgd"]}
    tables = range_test(SimpleNamespace(**options), data)
    assert np.isfinite(tables["losses"][["loss", "smoothed"]]).all(axis=None)
    assert tables["suggestions"].breakout.between(1e-3, 1e36).all()


@given(losses=st.lists(st.floats(0.01, 100), min_size=1, max_size=30))
@settings(max_examples=30)
def test_the_smoothed_loss_is_the_weighted_mean_of_all_before(losses):
    smoothed = smooth(np.array(losses))
    for step, value in enumerate(smoothed):
        weights = SMOOTHING ** np.arange(step, -1, -1)
        assert value == pytest.approx(np.average(losses[: step + 1], weights=weights))


@given(place=st.floats(-2.8, -1.2))
@settings(max_examples=20)
def test_the_steepest_fall_of_a_sigmoid_is_at_its_middle(place):
    falling = 1 - np.tanh(2 * (np.log10(RATES) - place))
    assert np.log10(steepest(RATES, falling)) == pytest.approx(place, abs=0.05)


def test_a_fall_after_the_minimum_is_not_a_suggestion():
    loss = np.concatenate([np.linspace(2, 1, 40), np.linspace(3, 8, 20), np.linspace(8, 2, 21)])
    assert steepest(RATES, loss) < RATES[40]
    assert np.isnan(steepest(RATES, np.linspace(1, 2, 81)))  # the minimum comes at once


def test_breakout_is_the_first_rate_beyond_the_margin_after_the_minimum():
    loss = np.array([2.0, 1.0, 1 + 0.9 * BREAKOUT, 1 + 1.1 * BREAKOUT, 1.0, 5.0])
    assert breakout(RATES, loss) == RATES[3]
    assert breakout(RATES, np.array([2.0, 1.0, np.inf])) == RATES[2]
    assert np.isnan(breakout(RATES, np.array([9.0, 2.0, 1.0])))
