"""Curvature and gradient noise of trained networks are those of the whole Hessian and of every image's gradient."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from finished import finished
from tiny import CLASSES, SIDE, write_tiny
from torch.autograd.functional import hessian
from torch.func import functional_call

from phase2.data.prepared import open_prepared
from phase2.data.splits import split
from phase2.models.mlp import MLP
from phase2.probe.curvature import measure as probe
from phase2.probe.curvature.measure import gradient_moments, squared_norms
from phase2.probe.curvature.measure import measure as curvature
from phase2.probe.runs import Run
from phase2.task.images import open_images

MEASURES = ["sharpness", "trace", "trace_error", "gradient_norm", "noise_scale", "loss"]
TASK = {"name": "images", "dataset": "tiny", "validation": 50, "train": 40, "pixels": "natural"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("data") / "tiny"))


def run(batch_size=16, seed=0, **options):
    torch.manual_seed(seed)
    model = MLP(SIDE * SIDE, CLASSES, **{"width": 4, "depth": 1, "activation": "tanh"} | options)
    return Run({"batch_size": batch_size, "lr": 0.1, "seed": seed}, model.eval(), TASK)


def measured(data, *runs, images=40, draws=200):
    return curvature(SimpleNamespace(images=images, draws=draws), data, finished(*runs))["curvature"]


def examples(data, images=40):
    return open_images(data, 50, images, torch.device("cpu")).train.batch(torch.arange(images), torch.float32)


def gradients(model, images, labels):
    """(images, parameters): one backward pass an image."""
    rows = []
    for image, label in zip(images, labels, strict=True):
        loss = torch.nn.functional.cross_entropy(model(image[None]), label[None])
        rows.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))]))
    return torch.stack(rows).double()


def test_there_is_a_row_for_every_run_with_its_axes_first(data):
    table = measured(data, run(16), run(64, seed=1), draws=2)
    assert list(table) == ["batch_size", "lr", "seed", *MEASURES]
    assert table.batch_size.tolist() == [16, 64]
    assert table.seed.tolist() == [0, 1]


def test_a_row_matches_the_whole_hessian_and_the_gradients_of_all_images(data):
    one = run()
    images, labels = examples(data)
    shapes = {name: p.shape for name, p in one.model.named_parameters()}

    def of_flat(flat):
        parts = flat.split([shape.numel() for shape in shapes.values()])
        parameters = {name: part.reshape(shapes[name]) for name, part in zip(shapes, parts, strict=True)}
        return torch.nn.functional.cross_entropy(functional_call(one.model, parameters, (images,)), labels)

    flat = torch.cat([p.detach().flatten() for p in one.model.parameters()])
    H, each = hessian(of_flat, flat), gradients(one.model, images, labels)
    row = measured(data, one).iloc[0]
    assert row.loss == pytest.approx(float(of_flat(flat)), rel=1e-5)
    assert row.sharpness == pytest.approx(float(torch.linalg.eigvalsh(H)[-1]), rel=1e-4)
    assert abs(row.trace - float(H.trace())) < 4 * row.trace_error
    off_diagonal = H - torch.diag(H.diag())
    assert row.trace_error == pytest.approx(float((2 * off_diagonal.square().sum() / 200).sqrt()), rel=0.2)
    assert row.gradient_norm == pytest.approx(float(each.mean(0).norm()), rel=1e-5)
    assert row.noise_scale == pytest.approx(float(each.var(0).sum() / each.mean(0).square().sum()), rel=1e-4)


@pytest.mark.parametrize("options", [{}, {"norm": "batch"}, {"norm": "layer", "dropout": 0.5}])
@pytest.mark.parametrize("numbers", [1, 1 << 12, 1 << 22])
def test_squared_norms_are_those_of_a_loop_in_chunks_of_any_size(data, options, numbers, monkeypatch):
    monkeypatch.setattr(probe, "NUMBERS", numbers)
    model, (images, labels) = run(**options).model, examples(data)
    expected = gradients(model, images, labels).square().sum(1)
    torch.testing.assert_close(squared_norms(model, images, labels), expected, rtol=1e-4, atol=1e-9)


def test_moments_are_unbiased_over_all_draws_without_replacement():
    each = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 0.3
    draws = [each[list(rows)] for rows in combinations(range(7), 3)]
    estimates = [gradient_moments(drawn.square().sum(1), drawn.mean(0), population=7) for drawn in draws]
    expected = float(each.var(0).sum()), float(each.mean(0).square().sum())
    np.testing.assert_allclose(np.mean(estimates, axis=0), expected, rtol=1e-12)


def test_moments_of_all_images_are_exact():
    each = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    spread, square = gradient_moments(each.square().sum(1), each.mean(0), population=7)
    assert spread == pytest.approx(float(each.var(0).sum()))
    assert square == pytest.approx(float(each.mean(0).square().sum()))


def test_a_gradient_that_cannot_be_told_from_zero_has_no_noise_scale(data, monkeypatch):
    monkeypatch.setattr(probe, "gradient_moments", lambda *_: (3.0, -0.1))
    assert np.isnan(measured(data, run(), draws=2).noise_scale).all()


def test_images_are_some_of_those_the_run_was_trained_on(data):
    trained, held_out = split(data.arrays["train_labels"], 50, 40)
    some, _ = split(data.arrays["train_labels"], 50, 10)
    assert set(some) <= set(trained)
    assert not set(some) & set(held_out)
    images, labels = examples(data, 10)
    expected = torch.nn.functional.cross_entropy(run().model(images), labels)
    assert measured(data, run(), images=10, draws=2).loss[0] == pytest.approx(expected.item())


def test_of_few_training_images_all_are_used(data):
    pd.testing.assert_frame_equal(measured(data, run(), images=41), measured(data, run(), images=40))


def test_networks_are_left_as_they_were_and_numbers_repeat(data):
    one = run(norm="batch")
    before = {name: value.clone() for name, value in one.model.state_dict().items()}
    assert measured(data, one, draws=5).equals(measured(data, one, draws=5))
    assert all(torch.equal(value, before[name]) for name, value in one.model.state_dict().items())
    assert all(p.grad is None for p in one.model.parameters())
