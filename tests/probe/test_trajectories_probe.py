"""The paths of optimizers: equal tuning, their plane, the test functions, and the theory of the quadratic."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import write_tiny

from phase2.data.prepared import open_prepared
from phase2.errors import UserError
from phase2.models.mlp import MLP
from phase2.nn.initial.kaiming import kaiming
from phase2.nn.loss.cross_entropy import cross_entropy
from phase2.probe.trajectories.functions import functions
from phase2.probe.trajectories.measure import (
    FUNCTION_RATES,
    RECORDS,
    descend,
    optimal,
    recorded_steps,
    theory_and_measurement,
)
from phase2.probe.trajectories.measure import (
    measure as trajectories,
)
from phase2.task.images import open_images
from phase2.task.order import epoch_order
from phase2.task.seeding import generator

OPTIONS = {"width": 6, "depth": 1, "train": 150, "epochs": 2, "batch_size": 32, "seed": 3, "points": 5}
OPTIONS |= {"optimizers": ["sgd", "adam", "adamw"], "rates": [0.01, 0.1, 1e30], "condition": 25.0, "steps": 40}
STEPS = 10  # of the network


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("prepared") / "tiny"))


@pytest.fixture(scope="module")
def tables(data):
    return trajectories(SimpleNamespace(**OPTIONS), data)


def test_every_optimizer_is_tuned_on_the_same_rates_and_shown_at_the_one_that_ends_lowest(tables):
    for (problem, _), rows in tables["tuning"].groupby(["problem", "optimizer"], sort=False):
        assert list(rows.lr) == (OPTIONS["rates"] if problem == "network" else FUNCTION_RATES.tolist())
        assert list(rows.best).count(True) == 1
        assert rows.final_loss[rows.best].item() == rows.final_loss.min()
    assert set(tables["tuning"].problem) == {"network", "quadratic", "rosenbrock", "beale"}
    best = tables["tuning"][tables["tuning"].best].set_index(["problem", "optimizer"])
    last = tables["functions"].groupby(["function", "optimizer"]).last()
    for place, row in last.iterrows():
        assert (best.lr[place], best.final_loss[place]) == (row.lr, row.value)


def test_a_rate_that_diverges_has_no_loss_and_loses(tables, data):
    sgd = tables["tuning"].query("problem == 'network' and optimizer == 'sgd'")
    assert list(sgd.diverged) == [False, False, True]
    assert np.isnan(sgd.final_loss.iloc[2])
    assert not sgd.best.iloc[2]
    with pytest.raises(UserError, match="sgd diverged on network at every rate of"):
        trajectories(SimpleNamespace(**OPTIONS | {"rates": [1e30], "optimizers": ["sgd"]}), data)


def test_a_path_is_the_training_of_torch_from_the_seeds_init_on_its_batches(tables, data):
    parts = open_images(data, 0, OPTIONS["train"], torch.device("cpu"))
    inputs, targets = parts.train.batch(torch.arange(150), torch.float32)
    model = MLP(parts.train.features, parts.outputs, width=6, depth=1)
    kaiming(model, generator=generator(3, "init"), batch=inputs)
    best = tables["tuning"].query("problem == 'network' and optimizer == 'sgd' and best").lr.item()
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=best), []
    for epoch in range(2):
        for rows in epoch_order(150, 3, epoch).split(32):
            losses.append(cross_entropy(model(inputs), targets).item())
            optimizer.zero_grad()
            cross_entropy(model(inputs[rows]), targets[rows]).backward()
            optimizer.step()
    losses.append(cross_entropy(model(inputs), targets).item())
    path = tables["paths"].query("optimizer == 'sgd'")
    assert list(path.step) == list(range(STEPS + 1))
    np.testing.assert_allclose(path.loss, losses, rtol=1e-4)


def test_all_paths_start_at_the_origin_of_the_plane_and_adamw_leaves_adams(tables):
    paths = tables["paths"]
    start = paths[paths.step == 0]
    np.testing.assert_allclose(start[["x", "y"]], 0, atol=1e-6)
    assert start.loss.nunique() == 1
    adam, adamw = (paths[paths.optimizer == name].loss.to_numpy() for name in ("adam", "adamw"))
    assert not np.array_equal(adam, adamw)


def test_the_map_covers_the_paths_and_says_what_share_of_them_it_holds(tables):
    surface, paths = tables["surface"], tables["paths"]
    assert len(surface) == OPTIONS["points"] ** 2
    for axis in ("x", "y"):
        assert surface[axis].min() < paths[axis].min() < paths[axis].max() < surface[axis].max()
    share_x, share_y = surface[["share_x", "share_y"]].drop_duplicates().to_numpy().squeeze()
    assert 1 >= share_x >= share_y > 0
    assert np.isfinite(surface.loss).all()


@given(total=st.integers(1, 5000))
def test_the_recorded_steps_are_few_and_have_both_ends(total):
    steps = recorded_steps(total)
    assert (steps[0], steps[-1]) == (0, total)
    assert len(steps) <= 2 * RECORDS + 1
    assert all(a < b for a, b in pairwise(steps))


@pytest.mark.parametrize("name", ["quadratic", "rosenbrock", "beale"])
def test_each_function_is_zero_and_flat_at_its_minimum_and_above_it_elsewhere(name):
    function = functions(100.0)[name]
    point = torch.tensor(function.minimum, dtype=torch.float64, requires_grad=True)
    value = function.value(*point)
    value.backward()
    assert value.item() == 0
    assert point.grad.abs().max() == 0
    x, y = np.random.default_rng(0).normal(size=(2, 1000)) + np.reshape(function.minimum, (2, 1))
    assert (function.value(x, y) > 0).all()
    assert function.value(*function.start) > 0


@given(condition=st.floats(1.1, 1e4))
@settings(max_examples=20)
def test_the_quadratic_has_the_condition_number_and_a_constant_diagonal(condition):
    value = functions(condition)["quadratic"].value
    hessian = torch.autograd.functional.hessian(value, tuple(torch.tensor([0.3, -2.0], dtype=torch.float64)))
    matrix = np.array(hessian, dtype=float)
    np.testing.assert_allclose(np.linalg.eigvalsh(matrix), [1, condition], rtol=1e-9)
    assert matrix[0, 0] == matrix[1, 1]


@pytest.mark.parametrize(("name", "theirs"), [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam)])
def test_descent_at_many_rates_is_that_of_torch_at_each(name, theirs):
    function, rates = functions(25.0)["rosenbrock"], torch.tensor([1e-4, 1e-3], dtype=torch.float64)
    path = descend(function, name, rates, 30)
    for lane, rate in enumerate(rates.tolist()):
        point = torch.tensor(function.start, dtype=torch.float64, requires_grad=True)
        optimizer = theirs([point], lr=rate)
        for step in range(31):
            torch.testing.assert_close(path[step, lane], point.detach(), rtol=1e-10, atol=1e-12)
            optimizer.zero_grad()
            function.value(*point).backward()
            optimizer.step()


@given(condition=st.floats(1.5, 1e4))
@settings(max_examples=30)
def test_the_theorys_rate_is_the_spectral_radius_of_a_step(condition):
    for method, (lr, momentum, rate) in optimal(condition).items():
        radii = []
        for eigenvalue in (1.0, condition):
            shrunk = 1 - lr * eigenvalue
            rows = {
                "gradient_descent": [shrunk, 0],
                "momentum": [shrunk + momentum, -momentum],
                "nesterov": [(1 + momentum) * shrunk, -momentum * shrunk],
            }
            radii.append(np.abs(np.linalg.eigvals([rows[method], [1, 0]])).max())
        assert max(radii) == pytest.approx(rate, abs=1e-6)


def test_measured_distances_follow_the_theory():
    table = theory_and_measurement(100.0, 100)
    paths = {method: rows.set_index("step") for method, rows in table.groupby("method")}
    descent = paths["gradient_descent"]
    np.testing.assert_allclose(descent.distance, descent.predicted, rtol=1e-9)
    for method in ("momentum", "nesterov"):
        np.testing.assert_allclose(paths[method].distance, paths[method].predicted, rtol=1e-6)
        rate = paths[method].rate.iloc[0]
        lag = (paths[method].predicted / rate ** paths[method].index)[20:]
        growth = np.diff(lag)  # a double eigenvalue: behind by a factor that grows in proportion to the step
        assert growth.min() > 0
        np.testing.assert_allclose(growth, growth.mean(), rtol=1e-2)
    assert paths["momentum"].distance[100] < paths["nesterov"].distance[100] < descent.distance[100]
