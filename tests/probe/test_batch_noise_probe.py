"""BatchNorm's noise: equal to torch's, and to theory where theory holds."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import write_tiny

from phase2.data.prepared import open_prepared
from phase2.errors import UserError
from phase2.probe.batch_noise.measure import EPS, _batches, noise, predicted, standardized
from phase2.probe.batch_noise.measure import measure as batch_noise

OPTIONS = {"batch_sizes": [2, 64], "draws": 400, "seeds": [0, 3], "width": 8}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return batch_noise(SimpleNamespace(**OPTIONS), open_data(tmp_path_factory))["noise"]


def open_data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("data") / "tiny"))


def population(samples: int, units: int, skewed: bool = False) -> torch.Tensor:
    random = torch.Generator().manual_seed(1)
    values = torch.randn(samples, units, generator=random, dtype=torch.float64)
    return standardized(values.exp() if skewed else values)


def measured(values, batch_size, draws, seed=0):
    return noise(values, batch_size, draws, torch.Generator().manual_seed(seed)).set_index("quantity")


def test_table_has_a_row_for_each_batch_size_seed_and_quantity_and_repeats(table, tmp_path_factory):
    assert list(table) == ["batch_size", "seed", "quantity", "measured", "predicted", "gaussian"]
    assert len(table) == 2 * 2 * 3
    assert set(table.quantity) == {"normalized", "mean", "std"}
    again = batch_noise(SimpleNamespace(**OPTIONS), open_data(tmp_path_factory))["noise"]
    pd.testing.assert_frame_equal(again, table)


def test_images_give_the_predicted_noise_at_batch_size_64(table):
    means = table[table.batch_size == 64].groupby("quantity")[["measured", "predicted"]].mean()
    np.testing.assert_allclose(means.measured, means.predicted, rtol=0.1)


@settings(max_examples=25, deadline=None)
@given(m=st.integers(2, 9), samples=st.integers(1, 5), seed=st.integers(0, 99))
def test_normalised_values_are_batch_norms(m, samples, seed):
    random = torch.Generator().manual_seed(seed)
    values, rows = population(30, 3), torch.randint(30, (4, m), generator=random)
    xi = values[:samples]
    (parts,) = _batches(values, xi, rows)
    mean, std, normalized = parts
    for draw in range(4):
        batch = values[rows[draw]]
        torch.testing.assert_close(mean[draw], batch.mean(0))
        torch.testing.assert_close(std[draw], batch.std(0, correction=0))
        for sample in range(samples):
            joined = torch.cat([xi[sample : sample + 1], batch[1:]])
            expected = torch.nn.functional.batch_norm(joined, None, None, training=True, eps=EPS)[0]
            torch.testing.assert_close(normalized[draw, sample], expected)


@settings(max_examples=10, deadline=None)
@given(m=st.integers(2, 20), seed=st.integers(0, 99))
def test_no_normalised_value_exceeds_the_square_root_of_the_others_number(m, seed):
    values = population(50, 2, skewed=True)
    rows = torch.randint(50, (20, m), generator=torch.Generator().manual_seed(seed))
    (parts,) = _batches(values, values, rows)
    assert parts[2].abs().max() <= (m - 1) ** 0.5


def test_gaussian_values_have_noise_of_one_and_a_half_over_the_batch_size():
    made = measured(population(20_000, 8), batch_size=64, draws=2000)
    np.testing.assert_allclose(made.measured * 64, [1.5, 1, 0.5], rtol=0.08)
    np.testing.assert_allclose(made.predicted, made.gaussian, rtol=0.05)


def test_skewed_values_need_their_own_moments():
    """Single samples of an exponential distribution: skewness 2, kurtosis 9."""
    uniform = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    values = standardized(-torch.log(uniform)[:, None])
    rows = torch.randint(len(values), (4000, 400), generator=torch.Generator().manual_seed(0))
    xi = values[[1_000, 2_700, 5_000, 18_000]]
    variance = 400 * torch.cat([parts[2] for parts in _batches(values, xi, rows)]).var(0)
    own = predicted(xi, values.pow(3).mean(0), values.pow(4).mean(0))["normalized"]
    torch.testing.assert_close(variance, own, rtol=0.12, atol=0)
    gaussian = 1 + xi**2 / 2
    assert ((variance / gaussian - 1).abs() > 0.3).all()


def test_alone_a_sample_has_no_noise_so_a_batch_size_of_one_is_refused():
    with pytest.raises(UserError, match="batch_sizes has 1, expected at least 2"):
        measured(population(10, 1), batch_size=1, draws=3)


def test_prediction_for_a_gaussian_is_one_plus_half_the_square():
    xi = torch.linspace(-3, 3, 7, dtype=torch.float64)[:, None]
    moments = torch.zeros(1, dtype=torch.float64), torch.full((1,), 3.0, dtype=torch.float64)
    torch.testing.assert_close(predicted(xi, *moments)["normalized"], 1 + xi**2 / 2)
