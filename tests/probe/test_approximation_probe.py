"""The approximation probe: its targets, the data it makes, fits that converge, and errors where they are largest."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from phase2.probe.approximation.card import Target
from phase2.probe.approximation.measure import GRID, TARGETS, fit, network, points, settled
from phase2.probe.approximation.measure import measure as approximation

OPTIONS = {"targets": ["absolute"], "widths": [4, 16], "depths": [1], "activation": "tanh", "points": 128}
OPTIONS |= {"steps": 700, "seeds": [0, 1]}


@pytest.fixture(scope="module")
def tables():
    return approximation(SimpleNamespace(**OPTIONS))


def test_every_target_that_can_be_configured_is_defined_and_within_one():
    x = torch.linspace(-1, 1, GRID)
    assert set(TARGETS) == set(Target.__args__)
    for target in TARGETS.values():
        assert target(x).abs().max() <= 1 + 1e-6


def test_points_differ_by_seed_and_have_the_targets_values():
    (x, y), (other, _) = (points("sine", 32, seed) for seed in (0, 1))
    assert not set(x.tolist()) & set(other.tolist())
    torch.testing.assert_close(y, torch.sin(3 * torch.pi * x))
    assert x.abs().max() <= 1


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


def test_a_network_comes_near_the_target_and_nearer_if_it_is_wider(tables):
    errors = tables["errors"]
    assert (errors[errors.width == 16].sup_error < 0.06).all()
    means = np.log(errors.sup_error).groupby(errors.width).mean()
    assert means[16] < means[4]


def test_fits_converge_and_say_so(tables):
    errors = tables["errors"]
    assert errors.converged.all()
    assert errors.steps.between(101, 699).all()
    stopped = approximation(SimpleNamespace(**OPTIONS | {"steps": 50}))["errors"]
    assert not stopped.converged.any()
    assert (stopped.steps == 50).all()
    assert (stopped.train_rms > errors.train_rms).all()


def test_settled_is_a_fall_of_the_root_by_less_than_a_tenth_in_a_hundred_iterations():
    falling = [(0.9 - 1e-6) ** (2 * n / 100) for n in range(150)]
    resting = [(0.9 + 1e-6) ** (2 * n / 100) for n in range(150)]
    assert not settled(falling)
    assert settled(resting)
    assert not settled(resting[:100])


def test_a_linear_model_is_fitted_as_least_squares_do():
    x, y = points("absolute", 64, 0)
    model = torch.nn.Sequential(torch.nn.Linear(2, 1, bias=False)).double()
    assert fit(model, x, y, 100)["converged"]
    inputs = torch.stack([x, torch.ones_like(x)], -1)
    best = torch.linalg.lstsq(inputs, y.unsqueeze(1)).solution
    torch.testing.assert_close(model[0].weight.detach(), best.T, rtol=1e-6, atol=1e-6)


def test_a_seed_repeats_and_is_another_network():
    one, again, other = (network(4, 1, "tanh", seed).layers[0].weight for seed in (3, 3, 4))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
