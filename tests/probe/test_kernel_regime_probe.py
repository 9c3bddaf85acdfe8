"""The kernel regime on tiny data: its parts against explicit matrices, and wider networks nearer to the theory."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from tiny import CLASSES, write_tiny

from phase2.data.prepared import open_prepared
from phase2.models.ntk_mlp import BIAS_STD, NTKMLP
from phase2.probe.kernel_regime.measure import Problem, largest_eigenvalue, readout, train
from phase2.probe.kernel_regime.measure import measure as kernel_regime
from phase2.probe.kernel_regime.ntk import derivative, empirical_ntk

METHODS = {"network", "linearized", "ntk_empirical", "ntk_infinite", "nngp_infinite"}
FEATURES = 5
OPTIONS = {"activations": ["relu", "erf"], "depth": 2, "widths": [256, 16], "steps": 30, "train": 40, "test": 50}
OPTIONS |= {"memory_mb": 200, "seeds": [0, 3]}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("prepared") / "tiny"))


@pytest.fixture(scope="module")
def tables(data):
    return kernel_regime(SimpleNamespace(**OPTIONS), data)


def network(width=7, activation="erf"):
    model = NTKMLP(FEATURES, CLASSES, width, 2, activation).double()
    model.reset(torch.Generator().manual_seed(1))
    return model


def task(size=6, tests=4):
    draws = torch.randn(size + tests, FEATURES + CLASSES, generator=torch.Generator().manual_seed(2)).double()
    x, y = draws.split([FEATURES, CLASSES], dim=1)
    return Problem(x[:size], y[:size], x[size:], y[size:])


def full_kernel(model, x1, x2):
    """Rows and columns are (sample, output)."""
    kernel = empirical_ntk(model, x1, x2, full=True).transpose(1, 2)
    return kernel.reshape(len(x1) * CLASSES, len(x2) * CLASSES)


def test_tables_have_a_row_for_each_network_step_and_method(tables):
    place = ["activation", "width", "seed"]
    assert list(tables["convergence"].columns) == [*place, "ntk_error", "nngp_error"]
    assert list(tables["drift"].columns) == [*place, "drift"]
    assert list(tables["linearized"].columns) == [*place, "step", "network_loss", "linearized_loss", "distance"]
    assert list(tables["regression"].columns) == ["method", "activation", "seed", "test_accuracy", "test_mse"]
    assert len(tables["convergence"].drop_duplicates(place)) == len(tables["convergence"]) == len(tables["drift"]) == 8
    for _, rows in tables["linearized"].groupby(place):
        assert rows.step.is_monotonic_increasing
        assert (rows.step.iloc[0], rows.step.iloc[-1]) == (0, 30)
    for _, rows in tables["regression"].groupby(["activation", "seed"]):
        assert set(rows.method) == METHODS
        assert len(rows) == len(METHODS)
    assert not any(table.isna().any(axis=None) for table in tables.values())


@pytest.mark.parametrize(
    ("table", "measure"),
    [("convergence", "ntk_error"), ("convergence", "nngp_error"), ("drift", "drift"), ("linearized", "distance")],
)
def test_wide_networks_are_nearer_to_the_theory_than_narrow_ones(tables, table, measure):
    rows = tables[table]
    last = rows[rows.step == 30] if "step" in rows else rows
    by_width = last.pivot(index=["activation", "seed"], columns="width", values=measure)
    assert (by_width[256] < 0.6 * by_width[16]).all()


def test_network_and_linearization_start_as_one_at_the_loss_of_predicting_zero_and_learn(tables):
    start = tables["linearized"].query("step == 0")
    zero = (1 - 1 / CLASSES) / CLASSES  # the mean square of a centred one-hot vector
    np.testing.assert_allclose(start[["network_loss", "linearized_loss"]], zero, rtol=1e-5)
    assert (start.distance == 0).all()
    end = tables["linearized"].query("step == 30")
    assert (end[["network_loss", "linearized_loss"]] < 0.6 * zero).all(axis=None)


def test_all_methods_are_better_than_chance(tables):
    assert (tables["regression"].test_accuracy > 1.5 / CLASSES).all()
    assert (tables["regression"].test_mse < (1 - 1 / CLASSES) / CLASSES).all()


def test_a_seeds_rows_do_not_depend_on_the_other_seeds_or_activations(tables, data):
    alone = kernel_regime(SimpleNamespace(**OPTIONS | {"seeds": [3], "activations": ["erf"]}), data)
    for name, table in alone.items():
        rows = tables[name].query("seed == 3 and activation == 'erf'").reset_index(drop=True)
        assert rows.equals(table)


def test_linearization_is_the_jacobian_and_its_transpose():
    model, x = network(), task().x
    weights = {name: w.detach() for name, w in model.named_parameters()}
    value, push, pull = derivative(lambda θ: torch.func.functional_call(model, θ, (x,)), weights)
    assert torch.equal(value, model(x).detach())
    step = {name: torch.randn_like(w) for name, w in weights.items()}
    ends = [
        torch.func.functional_call(model, {name: w + h * step[name] for name, w in weights.items()}, (x,))
        for h in (1e-5, -1e-5)
    ]
    torch.testing.assert_close(push(step), (ends[0] - ends[1]) / 2e-5, rtol=1e-6, atol=1e-8)
    u = torch.randn_like(value)
    assert torch.sum(u * push(step)).item() == pytest.approx(
        sum(torch.sum(g * step[n]).item() for n, g in pull(u).items())
    )


def test_largest_eigenvalue_is_that_of_the_kernel_of_all_outputs():
    model, x = network(), task().x
    expected = torch.linalg.eigvalsh(full_kernel(model, x, x))[-1].item()
    assert largest_eigenvalue(model, x) == pytest.approx(expected, rel=1e-3)


def test_the_linearization_trains_as_its_kernel_says():
    model, data, lr, steps = network(), task(), 0.01, 12
    kernels = [full_kernel(model, x, data.x) for x in (data.x, data.test_x)]
    curve, outputs = train(model, data, lr, steps)
    f, test = torch.zeros(data.y.numel()).double(), torch.zeros(data.test_y.numel()).double()
    losses = []
    for _ in range(steps + 1):
        errors = f - data.y.flatten()
        losses.append(errors.square().mean().item())
        f, test, last = f - lr * kernels[0] @ errors, test - lr * kernels[1] @ errors, test
    assert [row["linearized_loss"] for row in curve] == pytest.approx([losses[row["step"]] for row in curve])
    torch.testing.assert_close(outputs["linearized"].flatten(), last)


def test_the_network_is_left_trained_by_plain_gradient_descent():
    model, reference, data = network(), network(), task()
    train(model, data, 0.01, 5)
    optimizer, start = torch.optim.SGD(reference.parameters(), lr=0.01), reference(data.x).detach()
    for _ in range(5):
        optimizer.zero_grad()
        (0.5 * (reference(data.x) - start - data.y).square().sum()).backward()
        optimizer.step()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter, reference.get_parameter(name))


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_the_kernel_of_the_readout_is_the_covariance_of_the_last_hidden_layer(activation):
    width = 7
    model, x = network(width, activation), task().x
    head = network(width, activation)
    with torch.no_grad():  # a readout of the identity, without bias, shows the hidden layer
        head.weights[-1] = torch.nn.Parameter(torch.eye(width).double())
        head.biases[-1] = torch.nn.Parameter(torch.zeros(width).double())
        hidden = head(x)  # already times σ_w / √width
    torch.testing.assert_close(empirical_ntk(readout(model), x), hidden @ hidden.T + BIAS_STD**2)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_of_a_small_data_set_all_images_are_used(data):
    few = {"widths": [64], "seeds": [0], "activations": ["relu"], "steps": 2}
    more, all_ = (kernel_regime(SimpleNamespace(**OPTIONS | few | n), data) for n in ({"test": 1000}, {"test": 60}))
    for name, table in more.items():
        pd.testing.assert_frame_equal(table, all_[name])
