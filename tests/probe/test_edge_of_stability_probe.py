"""The descent is plain gradient descent, its sharpness the Hessian's, and it comes to the edge of stability."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from tiny import CLASSES, SIDE, write_tiny
from torch.autograd.functional import hessian
from torch.func import functional_call

from phase2.data.prepared import open_prepared
from phase2.models.mlp import MLP
from phase2.probe.edge_of_stability.measure import EIGENVALUES
from phase2.probe.edge_of_stability.measure import measure as edge_of_stability
from phase2.task.images import open_images
from phase2.task.seeding import drawing

SETTINGS = {"train": 24, "width": 6, "depth": 2, "activation": "tanh", "steps": 150, "every": 10, "seeds": [0, 1]}
RATES = [0.02, 0.8]  # the first too small to come to the edge


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("data") / "tiny"))


@pytest.fixture(scope="module")
def tables(data):
    return measured(data, rates=RATES)


def measured(data, **changed):
    return edge_of_stability(SimpleNamespace(**{**SETTINGS, **changed}), data)


def problem(data, seed):
    """A seed's network at the start, and its loss written out."""
    images, labels = open_images(data, 0, 24, torch.device("cpu")).train.batch(torch.arange(24), torch.float32)
    with drawing(seed, "init"):
        model = MLP(SIDE * SIDE, CLASSES, width=6, depth=2, activation="tanh")
    targets = torch.nn.functional.one_hot(labels, CLASSES)
    return model, lambda outputs: (outputs - targets).square().sum(1).mean() / 2, images


def matrix(model, loss, images):
    """The whole Hessian, in the order of the parameters."""
    shapes = {name: p.shape for name, p in model.named_parameters()}

    def of_flat(flat):
        parts = flat.split([shape.numel() for shape in shapes.values()])
        parameters = {name: part.reshape(shapes[name]) for name, part in zip(shapes, parts, strict=True)}
        return loss(functional_call(model, parameters, (images,)))

    return hessian(of_flat, torch.cat([p.detach().flatten() for p in model.parameters()]))


def test_there_is_a_row_for_every_step_and_a_sharpness_at_every_tenth(tables):
    path = tables["path"]
    assert list(path) == ["lr", "seed", "step", "loss", "sharpness"]
    for _, one in path.groupby(["lr", "seed"]):
        assert one.step.tolist() == list(range(151))
        assert one.step[one.sharpness.notna()].tolist() == list(range(0, 151, 10))
    assert set(path.groupby(["lr", "seed"]).groups) == {(lr, seed) for lr in RATES for seed in (0, 1)}


def test_losses_are_those_of_plain_gradient_descent(data, tables):
    model, loss, images = problem(data, 1)
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=0.8), []
    for _ in range(40):
        value = loss(model(images))
        losses.append(value.item())
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    path = tables["path"]
    np.testing.assert_allclose(path[(path.lr == 0.8) & (path.seed == 1)].loss[:40], losses, rtol=1e-4)


def test_sharpness_and_spectrum_before_training_are_those_of_the_whole_hessian(data, tables):
    path, spectrum = tables["path"], tables["spectrum"]
    model, loss, images = problem(data, 0)
    H = matrix(model, loss, images)
    values = torch.linalg.eigvalsh(H).flip(0)
    np.testing.assert_allclose(path[(path.step == 0) & (path.seed == 0)].sharpness, float(values[0]), rtol=1e-4)
    before = spectrum[(spectrum.seed == 0) & (spectrum.when == "before") & (spectrum.lr == 0.8)]
    top = before[before.quantity == "eigenvalue"]
    assert top["rank"].tolist() == list(range(1, EIGENVALUES + 1))
    np.testing.assert_allclose(top.value, values[:EIGENVALUES], rtol=1e-2, atol=1e-3)
    rest = before.set_index("quantity").value
    assert rest["trace"] == pytest.approx(float(H.trace()), rel=0.2)
    assert rest["parameters"] == len(H)


def test_spectrum_after_training_begins_with_the_last_sharpness(tables):
    path, spectrum = tables["path"], tables["spectrum"]
    last = path[path.step == 150].set_index(["lr", "seed"]).sharpness
    after = spectrum[(spectrum.when == "after") & (spectrum["rank"] == 1)].set_index(["lr", "seed"]).value
    pd.testing.assert_series_equal(after, last, rtol=1e-3, check_names=False)


def test_the_sharpness_comes_to_two_by_the_rate_and_stays_unless_the_rate_is_too_small(tables):
    path = tables["path"].dropna()
    late = path[path.step >= 110].groupby(["lr", "seed"]).sharpness.median().unstack("lr")
    assert (late[0.02] * 0.02 / 2 < 0.5).all()
    np.testing.assert_allclose(late[0.8] * 0.8 / 2, 1, atol=0.1)


def test_a_descent_that_diverges_ends_at_its_last_finite_loss_and_has_no_spectrum_after(data):
    tables = measured(data, rates=[1e4], activation="relu", seeds=[0])
    assert np.isfinite(tables["path"].loss).all()
    assert len(tables["path"]) < 150
    assert set(tables["spectrum"].when) == {"before"}


def test_a_seed_repeats_and_starts_alike_at_every_rate(data, tables):
    again = measured(data, rates=[0.8], seeds=[1])["path"]
    path = tables["path"]
    first = path[(path.lr == 0.8) & (path.seed == 1)].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, first)
    assert (path[path.step == 0].groupby("seed").loss.nunique() == 1).all()


def test_of_a_small_data_set_all_images_are_used(data):
    more, all_ = (measured(data, train=size, rates=[0.1], seeds=[0], steps=2)["path"] for size in (1000, 200))
    pd.testing.assert_frame_equal(more, all_)
