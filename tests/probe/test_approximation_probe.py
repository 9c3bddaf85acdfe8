"""The approximation probe: its targets, the data it makes, and errors measured where they are largest."""

from types import SimpleNamespace

import pytest
import torch

from phase2.errors import UserError
from phase2.probe.approximation.card import Target
from phase2.probe.approximation.measure import GRID, TARGETS, _parts
from phase2.probe.approximation.measure import measure as approximation

OPTIONS = {"targets": ["absolute"], "widths": [4, 16], "depths": [1], "activation": "tanh", "points": 256}
OPTIONS |= {"epochs": 30, "batch_size": 64, "lr": 0.03, "seeds": [0, 1]}


@pytest.fixture(scope="module")
def tables():
    return approximation(SimpleNamespace(**OPTIONS))


def test_every_target_that_can_be_configured_is_defined_and_within_one():
    x = torch.linspace(-1, 1, GRID)
    assert set(TARGETS) == set(Target.__args__)
    for target in TARGETS.values():
        assert target(x).abs().max() <= 1 + 1e-6


def test_training_and_validation_points_differ_by_seed_and_from_each_other():
    first, other = (_parts("sine", 32, seed) for seed in (0, 1))
    inputs, targets = first.train.batch(torch.arange(32), torch.float64)
    assert torch.equal(inputs[:, 1], torch.ones(32, dtype=torch.float64))
    torch.testing.assert_close(targets[:, 0], torch.sin(3 * torch.pi * inputs[:, 0].float()).double())
    assert not torch.equal(first.train.inputs, other.train.inputs)
    assert not set(first.train.inputs[:, 0].tolist()) & set(first.val.inputs[:, 0].tolist())


def test_the_sup_error_is_the_largest_of_the_errors_and_the_rms_error_is_below_it(tables):
    errors = tables["errors"]
    assert list(errors.seed) == [0, 1, 0, 1]
    assert list(errors.parameters) == [4 * 3 + 5] * 2 + [16 * 3 + 17] * 2
    assert (errors.rms_error < errors.sup_error).all()
    fits = tables["fits"]
    shown = (fits.prediction - fits.truth).abs().groupby(fits.width).max()
    largest = errors[errors.seed == 0].set_index("width").sup_error
    assert (shown <= largest + 1e-6).all()  # the drawn points are some of the grid's
    assert (shown > 0.8 * largest).all()


def test_a_network_learns_the_target(tables):
    errors = tables["errors"]
    assert (errors[errors.width == 16].rms_error < 0.1).all()  # the target's own is 0.58


def test_a_training_that_diverges_says_what_to_lower():
    with pytest.raises(UserError, match=r"absolute by width 4, depth 1 diverged: lower lr=1e\+30"):
        approximation(SimpleNamespace(**OPTIONS | {"lr": 1e30, "widths": [4], "activation": "relu"}))
