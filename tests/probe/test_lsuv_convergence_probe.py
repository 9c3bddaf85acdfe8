"""LSUV's measurements as a table: the recipe's own, layer by layer, on the seed's first minibatch."""

from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from tiny import CLASSES, SIDE, write_tiny

from phase2.data.prepared import open_prepared
from phase2.models import MLP
from phase2.nn.initial.lsuv import TOLERANCE, lsuv
from phase2.probe.lsuv_convergence.measure import measure as lsuv_convergence
from phase2.task.images import open_images
from phase2.task.order import epoch_order
from phase2.task.seeding import generator

OPTIONS = {"activations": ["relu", "tanh"], "depth": 3, "width": 16, "seeds": [0, 2], "batch": 64}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("prepared") / "tiny"))


@pytest.fixture(scope="module")
def convergence(data):
    return lsuv_convergence(SimpleNamespace(**OPTIONS), data)["convergence"]


def test_each_layer_has_its_iterations_from_0_until_its_variance_is_1(convergence):
    assert list(convergence.columns) == ["activation", "seed", "layer", "iteration", "variance"]
    groups = convergence.groupby(["activation", "seed", "layer"])
    expected = [(a, s, l) for a in ("relu", "tanh") for s in (0, 2) for l in (1, 2, 3, 4)]  # 4 is the output layer
    assert list(groups.groups) == expected
    for _, rows in groups:
        assert list(rows.iteration) == list(range(len(rows)))
        distances = (rows.variance - 1).abs()
        assert (distances[:-1] >= TOLERANCE).all()
        assert distances.iloc[-1] < TOLERANCE


def test_the_last_variances_are_those_that_the_recipe_reports(convergence, data):
    train = open_images(data, 0, None, torch.device("cpu")).train
    images, _ = train.batch(epoch_order(len(train), 2, 0)[:64], torch.float32)
    model = MLP(SIDE * SIDE, CLASSES, 16, 3, "tanh")
    reported = lsuv(model, generator=generator(2, "init"), batch=images)
    rows = convergence[(convergence.activation == "tanh") & (convergence.seed == 2)]
    assert list(rows.groupby("layer").variance.last()) == list(reported.values())[:-1]


def test_a_seeds_first_layer_starts_the_same_under_every_activation(convergence):
    start = convergence[(convergence.layer == 1) & (convergence.iteration == 0)]
    assert (start.groupby("seed").variance.nunique() == 1).all()
    assert start.variance.nunique() == 2


def test_of_a_small_data_set_all_images_are_used(data):
    more, all_ = (
        lsuv_convergence(SimpleNamespace(**OPTIONS | {"batch": size}), data)["convergence"] for size in (1000, 200)
    )
    pd.testing.assert_frame_equal(more, all_)
