"""The mean-field theory is right where it is known in closed form, and random networks follow it."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from phase2.errors import UserError
from phase2.probe.mean_field.measure import chi, critical_weight_std, fixed_point, moments, passage, variance_map
from phase2.probe.mean_field.measure import measure as mean_field

FUNCTIONS = {
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "elu": (lambda x: x if x > 0 else np.expm1(x), lambda x: 1 if x > 0 else np.exp(x)),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
}
SMOOTH = ("tanh", "gelu", "silu", "sigmoid", "elu")
positive = st.floats(0.05, 4.0)


def options(**changed):
    default = {
        "activations": ["relu", "tanh", "gelu"],
        "weight_stds": [0.8, 1.4, 2.0],
        "bias_stds": [0.0, 0.3],
        "width": 400,
        "depth": 16,
        "seeds": [0, 1],
    }
    return SimpleNamespace(**{**default, **changed})


@pytest.fixture(scope="module")
def tables():
    return mean_field(options())


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("q", [1e-3, 1.0, 30.0])
def test_moments_match_adaptive_quadrature(name, q):
    for function, ours in zip(FUNCTIONS[name], moments(name, q), strict=True):

        def integrand(z, function=function):
            return function(np.sqrt(q) * z) ** 2 * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)

        halves = (quad(integrand, *ends, epsabs=1e-14, limit=200)[0] for ends in ((-12, 0), (0, 12)))
        assert ours == pytest.approx(sum(halves), rel=1e-11)


@given(positive, positive, positive)
@settings(max_examples=20, deadline=None)
def test_relu_halves_the_variance_and_the_squared_gradient(weight_std, bias_std, q):
    assert variance_map("relu", weight_std, bias_std, q) == pytest.approx(weight_std**2 * q / 2 + bias_std**2)
    assert chi("relu", weight_std, q) == pytest.approx(weight_std**2 / 2)


def test_relu_settles_below_sqrt_2_keeps_its_variance_there_and_explodes_above():
    assert fixed_point("relu", 1.2, 0.3) == pytest.approx(0.09 / (1 - 0.72), rel=1e-9)
    assert fixed_point("relu", np.sqrt(2), 0.0) == pytest.approx(2.0)  # that of the first layer
    assert fixed_point("relu", 1.2, 0.0) == 0.0
    assert fixed_point("relu", 1.5, 0.3) == np.inf


@given(st.sampled_from(SMOOTH), st.floats(0.5, 1.3), st.floats(0.1, 1.0))
@settings(max_examples=25, deadline=None)
def test_the_variance_map_leaves_its_fixed_point(name, weight_std, bias_std):
    q = fixed_point(name, weight_std, bias_std)
    assert variance_map(name, weight_std, bias_std, q) == pytest.approx(q, rel=1e-6)


@pytest.mark.parametrize("weight_std", [1.3, 1.53, 1.6])
def test_fixed_point_is_what_iterating_from_an_input_of_mean_square_one_tends_to(weight_std):
    for name, bias_std in product(SMOOTH, (0.1, 0.5)):  # GELU and SiLU have two that attract
        q = weight_std**2 + bias_std**2
        for _ in range(2000):
            q = variance_map(name, weight_std, bias_std, min(float(q), 1e7))
        expected = np.inf if q > 1e6 else float(q)
        assert fixed_point(name, weight_std, bias_std) == pytest.approx(expected, rel=1e-5)


def test_edge_of_chaos_is_known_for_relu_leaky_relu_and_tanh():
    for bias_std in (0.0, 0.4):
        assert critical_weight_std("relu", bias_std) == pytest.approx(np.sqrt(2), rel=1e-8)
        assert critical_weight_std("leaky_relu", bias_std) == pytest.approx(np.sqrt(2 / 1.0001), rel=1e-8)
    assert critical_weight_std("tanh", 0.0) == pytest.approx(1.0, abs=1e-5)
    q = (0.75 * 0.001**2) ** (1 / 3)
    assert critical_weight_std("tanh", 0.001) ** 2 == pytest.approx(1 + 2 * q, abs=4 * q**2)


@pytest.mark.parametrize("name", SMOOTH)
def test_chi_is_one_on_the_edge_and_passes_from_below_to_above(name):
    edge = critical_weight_std(name, 1.0)
    below, on, above = (chi(name, std, fixed_point(name, std, 1.0)) for std in (0.99 * edge, edge, 1.01 * edge))
    assert below < 1 < above
    assert on == pytest.approx(1.0, abs=1e-6)


def test_no_edge_in_the_range_is_nan():
    assert np.isnan(critical_weight_std("relu", 0.1, low=0.3, high=1.0))
    assert passage("relu", np.nan, 0.1) == "none"


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_without_biases_gelu_and_silu_have_no_edge_but_a_jump_that_their_input_decides(name):
    where = critical_weight_std(name, 0.0)
    assert passage(name, where, 0.0) == "jump"
    below, above = (fixed_point(name, std, 0.0) for std in (0.999 * where, 1.001 * where))
    assert below == 0.0
    assert above == np.inf
    q = where**2  # of the first layer: it stays there, and anything less or more runs away
    assert variance_map(name, where, 0.0, q) == pytest.approx(q, rel=1e-6)
    assert variance_map(name, where, 0.0, 0.99 * q) < 0.99 * q
    assert variance_map(name, where, 0.0, 1.01 * q) > 1.01 * q
    assert chi(name, where, q) > 1.01  # the fixed point that the jump is at has no chi of 1 either


@pytest.mark.parametrize("name", SMOOTH)
def test_with_large_biases_every_smooth_activation_has_an_edge(name):
    assert passage(name, critical_weight_std(name, 1.0), 1.0) == "edge"


def off(width):
    """The mean relative distance of the measured variance from the prediction."""
    variance = mean_field(options(width=width, depth=5, seeds=[0, 1, 2, 3]))["variance"]
    return (variance.measured / variance.predicted - 1).abs().mean()


def test_networks_come_closer_to_the_predicted_variance_as_they_widen():
    wide = off(1000)
    assert wide < 0.1
    assert wide < off(60) / 2


def test_gradients_grow_by_half_log_chi_of_the_layers_that_they_pass(tables):
    phase = tables["phase"]
    unsure = (phase.activation == "gelu") & (phase.weight_std == 1.4)  # near the jump
    np.testing.assert_allclose(phase.measured_growth[~unsure], phase.predicted_growth[~unsure], atol=0.06)
    half = np.log(phase.chi) / 2  # of the fixed point, which some reach late
    np.testing.assert_allclose(phase.measured_growth, half, atol=0.12)
    assert (np.sign(phase.measured_growth) == np.sign(half)).mean() > 0.9


def test_network_and_theory_agree_near_a_jump_on_the_side_that_they_reach():
    where = critical_weight_std("silu", 0.0)
    changed = {"activations": ["silu"], "weight_stds": [0.9 * where, 1.1 * where], "bias_stds": [0.0], "depth": 24}
    phase = mean_field(options(**changed, width=600))["phase"]
    assert (phase.measured_growth[phase.weight_std < where] < -0.1).all()
    assert (phase.measured_growth[phase.weight_std > where] > 0.1).all()
    np.testing.assert_allclose(phase.measured_growth, phase.predicted_growth, atol=0.05)


def test_tables_have_a_row_for_each_net_layer_and_seed(tables):
    assert list(tables) == ["variance", "phase", "boundary"]
    assert len(tables["variance"]) == 3 * 3 * 2 * 16 * 2
    assert len(tables["phase"]) == 3 * 3 * 2 * 2
    assert list(tables["phase"].columns) == [
        *("activation", "weight_std", "bias_std", "fixed_point", "chi"),
        *("predicted_growth", "measured_growth", "seed"),
    ]
    assert list(tables["boundary"].columns) == ["activation", "bias_std", "weight_std", "passage"]
    assert set(tables["boundary"].activation) == {"relu", "tanh", "gelu"}


def test_a_seed_repeats_and_does_not_depend_on_the_others(tables):
    again = mean_field(options(seeds=[1]))["variance"]
    first = tables["variance"]
    np.testing.assert_array_equal(again.measured, first[first.seed == 1].measured)


def test_a_gradient_that_overflows_is_nan():
    phase = mean_field(options(activations=["relu"], weight_stds=[1e60], depth=10, width=8))["phase"]
    assert phase.measured_growth.isna().all()


def test_an_unknown_activation_is_named():
    with pytest.raises(UserError, match="unknown activation 'rleu': did you mean 'relu'"):
        fixed_point("rleu", 1.0, 0.0)
