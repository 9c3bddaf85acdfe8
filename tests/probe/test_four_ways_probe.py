"""The four implementations on a tiny data set: the tables, and that they differ by rounding alone."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from tiny import CLASSES, SIDE, write_tiny

from phase2.data.prepared import open_prepared
from phase2.probe.four_ways.measure import POINTS, four_networks
from phase2.probe.four_ways.measure import measure as four_ways
from phase2.scratch.mlp import MLP
from phase2.task.images import open_images
from phase2.task.order import epoch_order

NAMES = ["numpy", "tape", "torch", "autograd"]
OPTIONS = {"width": 12, "depth": 2, "epochs": 3, "batch_size": 32, "lr": 0.1, "train": 150, "seeds": [0, 3]}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("prepared") / "tiny"))


@pytest.fixture(scope="module")
def tables(data):
    return four_ways(SimpleNamespace(**OPTIONS), data)


def test_curves_have_a_row_for_each_implementation_seed_and_step(tables):
    curves = tables["curves"]
    assert list(curves.columns) == ["implementation", "seed", "step", "loss"]
    steps = OPTIONS["epochs"] * 5  # 150 images in batches of 32
    for (_, _), rows in curves.groupby(["implementation", "seed"]):
        assert list(rows.step) == list(range(steps))
    assert curves.groupby("seed").implementation.unique().map(list).tolist() == [NAMES, NAMES]


def test_all_four_lie_on_one_curve_and_learn(tables):
    losses = tables["curves"].pivot(index=["seed", "step"], columns="implementation", values="loss")
    np.testing.assert_allclose(losses.to_numpy(), losses[["numpy"]].to_numpy().repeat(4, 1), rtol=0, atol=1e-5)
    first, last = (losses.xs(step, level="step").mean(axis=None) for step in (0, 14))
    assert last < 0.7 * first


def test_results_have_equal_accuracies_and_gradients_equal_to_1e_10(tables):
    results = tables["results"]
    assert list(results.columns) == [
        "implementation",
        "seed",
        "test_accuracy",
        "seconds",
        "max_gradient_difference",
    ]
    assert list(zip(results.implementation, results.seed, strict=True)) == [(n, s) for s in (0, 3) for n in NAMES]
    assert (results.max_gradient_difference < 1e-10).all()
    assert (results.max_gradient_difference[results.implementation == "numpy"] == 0).all()
    assert (results.seconds > 0).all()
    assert (results.groupby("seed").test_accuracy.agg(np.ptp) <= 1 / 60).all()  # one image of 60 at most
    assert (results.test_accuracy > 1.5 / CLASSES).all()


def test_the_reference_is_the_seeds_own_training_again(tables, data):
    """The same curve and accuracy from the building blocks: the seed's weights, its batches, plain SGD."""
    parts = open_images(data, 0, OPTIONS["train"], torch.device("cpu"))
    network = four_networks((SIDE * SIDE, 12, 12, CLASSES), 3, np.float32)["numpy"]
    losses = []
    for epoch in range(OPTIONS["epochs"]):
        for rows in epoch_order(150, 3, epoch).split(32):
            images, labels = parts.train.batch(rows, torch.float32)
            losses.append(network.step(images.flatten(1).numpy(), labels.numpy(), 0.1))
    curves, results = (table[(table.implementation == "numpy") & (table.seed == 3)] for table in tables.values())
    assert list(curves.loss) == losses
    images, labels = next(parts.test.in_order(60, torch.float32))
    accuracy = (network.forward(images.flatten(1).numpy()).argmax(1) == labels.numpy()).mean()
    assert results.test_accuracy.item() == pytest.approx(accuracy)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_four_start_from_the_same_bits_and_seeds_from_different_ones(dtype):
    one, other = (four_networks((5, 4, 4, 3), seed, dtype) for seed in (0, 1))
    reference = one["numpy"].parameters
    for network in one.values():
        parameters = network.parameters if hasattr(network, "parameters") else network.model.parameters()
        for own, expected in zip(parameters, reference, strict=True):
            np.testing.assert_array_equal(own.detach().numpy() if torch.is_tensor(own) else own, expected)
    assert not np.array_equal(other["numpy"].parameters[0], reference[0])


def test_a_wrong_gradient_shows_in_the_tables(data, monkeypatch):
    right = MLP.gradients

    def wrong(self, x, targets):
        loss, gradients = right(self, x, targets)
        return loss, [gradient * 1.001 for gradient in gradients]

    monkeypatch.setattr(MLP, "gradients", wrong)  # of NumPy by hand only: the tape has its own
    tables = four_ways(SimpleNamespace(**OPTIONS | {"seeds": [0]}), data)
    differences = tables["results"].set_index("implementation").max_gradient_difference
    assert (differences[["tape", "torch", "autograd"]] > 1e-5).all()
    losses = tables["curves"].pivot(index="step", columns="implementation", values="loss")
    assert (losses["numpy"] - losses["tape"]).abs().max() > 1e-5


def test_long_trainings_record_about_a_hundred_losses(data):
    options = OPTIONS | {"batch_size": 1, "epochs": 2, "width": 2, "depth": 1, "train": 170, "seeds": [0]}
    curves = four_ways(SimpleNamespace(**options), data)["curves"]
    steps = curves[curves.implementation == "tape"].step
    assert POINTS <= len(steps) < 2 * POINTS
    assert list(steps) == list(range(0, 340, 3))


def test_of_a_small_data_set_all_images_are_used(data):
    few = {"width": 2, "depth": 1, "seeds": [0]}
    more, all_ = (four_ways(SimpleNamespace(**OPTIONS | few | {"train": size}), data)["curves"] for size in (1000, 200))
    pd.testing.assert_frame_equal(more, all_)
