"""Initial values follow the laws that they claim: Kolmogorov and Smirnov's test, moments, bounds, orthogonality."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from phase2.models import MLP
from phase2.nn import init
from phase2.nn.init import STD_CUT_AT_2
from phase2.nn.initial.recipe import weighted_layers
from phase2.nn.initial.truncated_normal import truncated_normal


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(var):
    return stats.norm(0, math.sqrt(var))


def uniform(var):
    return stats.uniform(-math.sqrt(3 * var), 2 * math.sqrt(3 * var))


# (name, options, law) for a weight of 100 outputs and 200 inputs.
LAWS = [
    ("xavier_normal_", {}, normal(2 / 300)),
    ("xavier_uniform_", {"gain": 5 / 3}, uniform(25 / 9 * 2 / 300)),
    ("kaiming_normal_", {"nonlinearity": "relu"}, normal(2 / 200)),
    ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "tanh"}, normal(25 / 9 / 100)),
    ("kaiming_uniform_", {}, uniform(2 / 200)),
    ("kaiming_uniform_", {"a": 0.5, "mode": "fan_out"}, uniform(2 / 1.25 / 100)),
    ("normal_", {"mean": 1, "std": 2}, stats.norm(1, 2)),
    ("uniform_", {"a": -1, "b": 2}, stats.uniform(-1, 3)),
    ("trunc_normal_", {}, stats.truncnorm(-2, 2)),
    ("trunc_normal_", {"std": 0.5, "a": 0.0, "b": 0.2}, stats.truncnorm(0, 0.4, 0, 0.5)),
    ("trunc_normal_", {"a": 1.5, "b": 4.0}, stats.truncnorm(1.5, 4)),
]


@pytest.mark.parametrize(("name", "options", "law"), LAWS)
def test_values_follow_the_distribution_they_claim(name, options, law):
    values = getattr(init, name)(torch.empty(100, 200), **options, generator=seeded(4)).flatten().numpy()
    assert stats.kstest(values, law.cdf).pvalue > 0.01
    check_moments(values, law)


def check_moments(values, law):
    """Mean and variance within 3 of their own standard errors; the variance's from the fourth moment."""
    mean, var, kurtosis = (float(moment) for moment in law.stats("mvk"))
    assert abs(values.mean() - mean) < 3 * math.sqrt(var / len(values))
    assert abs(values.var() - var) < 3 * var * math.sqrt((kurtosis + 2) / len(values))


def test_fans_of_a_convolution_count_its_kernel():
    values = init.kaiming_normal_(torch.empty(64, 32, 3, 3), nonlinearity="relu", generator=seeded(1))
    check_moments(values.flatten().numpy(), normal(2 / (32 * 9)))
    values = init.xavier_uniform_(torch.empty(64, 32, 3, 3), generator=seeded(1))
    check_moments(values.flatten().numpy(), uniform(2 / (96 * 9)))


@given(st.floats(-3, 3), st.floats(0.05, 3), st.floats(-3, 2), st.floats(0.01, 2), st.sampled_from(["32", "64"]))
@settings(max_examples=60, deadline=None)
def test_trunc_normal_stays_within_its_bounds(mean, std, a, length, bits):
    # Nearer than 2 std, or torch and we both warn.
    b = a + length
    mean = min(max(mean, a - 2 * std), b + 2 * std)
    dtype = getattr(torch, f"float{bits}")
    values = init.trunc_normal_(torch.empty(500, dtype=dtype), mean, std, a, b, generator=seeded())
    low, high = torch.tensor([a, b], dtype=dtype)
    assert low <= values.min() <= values.max() <= high


def test_trunc_normal_warns_when_its_bounds_are_far():
    with pytest.warns(UserWarning, match="more than 2 std"):
        values = init.trunc_normal_(torch.empty(1000), mean=5.0, a=-1.0, b=1.0, generator=seeded())
    assert -1 <= values.min() <= values.max() <= 1


def test_std_of_the_cut_normal_is_its_formula():
    assert stats.truncnorm(-2, 2).std() == pytest.approx(STD_CUT_AT_2, rel=1e-12)


def test_the_truncated_recipe_has_kaimings_variance_and_no_tails():
    model = MLP(200, 10, 300, 2)
    truncated_normal(model, generator=seeded(3), batch=torch.zeros(1, 200))
    for (_, layer), fan_in in zip(weighted_layers(model), (200, 300, 300), strict=True):
        sigma = math.sqrt(2 / fan_in) / STD_CUT_AT_2
        values = layer.weight.detach().flatten().numpy()
        law = stats.truncnorm(-2, 2, scale=sigma)
        assert law.var() == pytest.approx(2 / fan_in)
        assert stats.kstest(values, law.cdf).pvalue > 0.01
        check_moments(values, law)
        assert abs(values).max() <= 2 * sigma * (1 + 1e-7)
        assert not layer.bias.any()


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4), (4, 3, 2, 2)])
def test_orthogonal_rows_or_columns_are_orthonormal(shape):
    W = init.orthogonal_(torch.empty(shape, dtype=torch.float64), gain=2.0).flatten(1)
    product = W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W
    torch.testing.assert_close(product, 4 * torch.eye(len(product), dtype=torch.float64))


def test_orthogonal_is_uniform_over_rotations_and_reflections():
    """A row of a uniform orthogonal (n, n) matrix: each squared entry is Beta(1/2, (n - 1) / 2), either sign."""
    entries = torch.stack([init.orthogonal_(torch.empty(5, 5), generator=seeded(i))[0, 0] for i in range(2000)])
    assert stats.kstest(entries.square().numpy(), stats.beta(0.5, 2).cdf).pvalue > 0.01
    assert stats.binomtest(int((entries > 0).sum()), len(entries)).pvalue > 0.01
