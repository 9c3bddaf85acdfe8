"""The map of what trains: its networks start at the size asked for, and theory's depth scale is that of equations."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from tiny import write_tiny

from phase2.claims import Results
from phase2.data.prepared import open_prepared
from phase2.probe.images import images_of
from phase2.probe.trainability.claims import share_that_learnt
from phase2.probe.trainability.measure import KAIMING, _scale
from phase2.probe.trainability.measure import measure as trainability
from phase2.train.lanes import build
from phase2.train.recipe import Lane, Recipe

OPTIONS = {"train": 150, "activations": ["relu", "tanh"], "weight_stds": [0.5, 2**0.5, 1e9], "depths": [1, 3]}
OPTIONS |= {"width": 32, "lr": 0.1, "epochs": 8, "batch_size": 16, "seeds": [0, 1]}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("prepared") / "tiny"))


@pytest.fixture(scope="module")
def tables(data):
    return trainability(SimpleNamespace(**OPTIONS), data)


def test_a_row_for_each_network_and_none_averaged_away(tables):
    table = tables["trained"]
    assert list(table.columns) == ["activation", "weight_std", "depth", "seed", "accuracy"]
    assert len(table) == len(table.drop_duplicates(["activation", "weight_std", "depth", "seed"])) == 2 * 3 * 2 * 2


def test_a_network_that_trains_is_right_and_one_that_overflows_has_no_accuracy(tables):
    by_std = tables["trained"].query("activation == 'relu' and depth == 1").groupby("weight_std")["accuracy"]
    assert by_std.mean()[2**0.5] > 0.9
    assert tables["trained"].query("activation == 'relu' and depth == 3 and weight_std == 1e9").accuracy.isna().all()


def test_the_lanes_start_at_the_variances_asked_for(data):
    parts = images_of(data)
    recipe = Recipe("mlp", {"width": 300, "depth": 3}, "momentum", 16, 1, seed=0)
    stack = build(recipe, [Lane("kaiming", "constant", 0.1)] * 2, parts, torch.float32)
    _scale(stack, torch.tensor([0.5, 3.0]) / KAIMING)
    weight = stack.parameters["layers.2.weight"]
    assert (weight.std((1, 2)) * 300**0.5).tolist() == pytest.approx([0.5, 3.0], rel=0.02)
    assert all((p == 0).all() for name, p in stack.parameters.items() if name.endswith("bias"))


def test_the_depth_scale_of_relu_is_that_of_its_weights_alone(tables):
    of = tables["theory"].query("activation == 'relu'")  # chi is sigma_w^2 / 2 at any variance: He et al. 2015
    np.testing.assert_allclose(of.chi, of.weight_std**2 / 2, rtol=1e-6)
    np.testing.assert_allclose(of.depth_scale, 1 / np.log(of.weight_std**2 / 2).abs(), rtol=1e-4)


def test_claims_count_the_networks_between_two_multiples_of_the_scale():
    theory = pd.DataFrame({"activation": "relu", "weight_std": [0.5, 2.0], "depth_scale": [1.0, 4.0]})
    of = {"activation": "relu", "weight_std": [0.5, 0.5, 2.0, 2.0], "depth": [2, 16, 2, 16]}
    table = pd.DataFrame(of | {"seed": 0, "accuracy": [0.9, np.nan, 0.4, 0.9]})
    results = Results("trainability", {"trained": table, "theory": theory})
    assert share_that_learnt(results, 0, 3)[0] == 0.5  # depths of 2 and of half a scale
    assert share_that_learnt(results, 12, np.inf)[0] == 0  # 16 scales; it diverged
