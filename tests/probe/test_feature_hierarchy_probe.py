"""Filters, maps and linear probes are what their definitions say, on networks that are known."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from finished import finished
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import CLASSES, SIDE, TEST, TRAIN, write_tiny
from torch.nn import Flatten, Sequential

from phase2 import registry
from phase2.data.prepared import open_prepared
from phase2.errors import UserError
from phase2.files import canonical_json
from phase2.models.cifar_resnet import CifarResNet
from phase2.nn import Linear, ReLU
from phase2.nn.convolution.conv import Conv2d
from phase2.probe.feature_hierarchy.card import LIMIT
from phase2.probe.feature_hierarchy.measure import measure as feature_hierarchy
from phase2.probe.features import features, pooled, watched
from phase2.probe.linear_probe import linear_probe
from phase2.probe.runs import Run, at_start, training_images
from phase2.study.cell import Cell
from phase2.task.images import open_images

OPTIONS = {"train": 60, "test": 40}
MODEL = {"name": "cifar_resnet", "width": 4, "depth": 8, "options": {}}
IMAGE = ["channel", "row", "column", "value"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("data") / "tiny"))


def run(data, seed=0, model=None, network=None, **axes):
    """A run whose network after training is `model`, or another start."""
    spec = {"model": network or MODEL, "init": "kaiming", "seed": seed, "optimizer": {"name": "sgd", "options": {}}}
    spec["task"] = {"name": "images", "dataset": "tiny", "validation": 50, "train": 100, "pixels": "natural"}
    spec["budget"] = {"epochs": 1, "batch_size": 16}
    cell = Cell("networks", (), canonical_json(spec))
    axes = axes | {"seed": seed, "lr": 0.1}
    if model is None:
        torch.manual_seed(100 + seed)
        model = CifarResNet((1, SIDE, SIDE), CLASSES, depth=8, width=4).eval()
    return Run(axes, model, spec["task"], cell)


def convolutional(weight, pooling=SIDE - 2):
    """One convolution without a bias, ReLU and an output layer."""
    model = Sequential(
        Conv2d(1, len(weight), 3, bias=False), ReLU(), Flatten(), Linear(len(weight) * pooling**2, CLASSES)
    )
    model[0].weight.data = weight
    return model.eval()


def measured(data, *runs, **options):
    return feature_hierarchy(SimpleNamespace(**OPTIONS | options), data, finished(*runs))


def shown_images(data, count=OPTIONS["test"]):
    part = open_images(data, 50, 100, torch.device("cpu")).test
    return part.batch(torch.arange(count) * TEST // count, torch.float32)


def image(table, **where):
    rows = table
    for name, value in where.items():
        rows = rows[rows[name] == value]
    shape = [rows[name].max() + 1 for name in IMAGE[:3]]
    return torch.tensor(rows.value.to_numpy()).reshape(shape)


def test_tables_begin_with_the_axes_and_shown_is_the_first_seed_of_each_network(data):
    runs = [run(data, seed, norm=norm) for norm in ("batch", "none") for seed in (1, 0)]
    tables = measured(data, *runs)
    axes = ["norm", "lr", "seed"]
    assert list(tables["filters"]) == list(tables["maps"]) == [*axes, "filter", *IMAGE]
    assert list(tables["linear_probes"]) == [*axes, "when", "layer", "position", "dimension", "accuracy"]
    for name in ("filters", "maps"):
        assert set(zip(tables[name].norm, tables[name].seed, strict=True)) == {("batch", 0), ("none", 0)}
    assert set(tables["linear_probes"].seed) == {0, 1}


def test_filters_are_the_first_weights_and_maps_the_first_activation_of_the_first_test_image(data):
    weight = torch.randn(20, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    model = convolutional(weight)
    tables = measured(data, run(data, model=model))
    filters, maps = tables["filters"], tables["maps"]
    assert sorted(filters["filter"].unique()) == list(range(1, 21))
    torch.testing.assert_close(image(filters, filter=20), weight[19])
    first = shown_images(data)[0][:1]
    assert sorted(maps["filter"].unique()) == list(range(17))
    torch.testing.assert_close(image(maps, filter=0), first[0])
    torch.testing.assert_close(image(maps, filter=16), model[:2](first)[0, 15:16].detach())


def test_layers_are_read_before_and_after_training_and_the_pixels_are_the_same(data):
    one = run(data)
    probes = measured(data, one)["linear_probes"]
    labelled = training_images(OPTIONS["train"], data, one)[:2], shown_images(data)
    for when, model in (("start", at_start(one, data)), ("end", one.model)):
        rows = probes[probes.when == when]
        assert rows.layer.tolist() == list(range(8))
        np.testing.assert_allclose(rows.position, np.arange(8) / 7)
        (x, labels), (test_x, test_labels) = labelled
        last = features(model, x, LIMIT)[-1], features(model, test_x, LIMIT)[-1]
        assert rows.dimension.iloc[-1] == last[0].shape[1]
        assert rows.accuracy.iloc[-1] == linear_probe(last[0], labels, last[1], test_labels)
    pixels = probes[probes.layer == 0]
    assert pixels.accuracy.nunique() == 1
    assert set(pixels.dimension) == {SIDE * SIDE}


@given(
    channels=st.integers(1, 600),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
)
@settings(max_examples=30, deadline=None)
def test_pooled_features_are_bounded_and_keep_the_mean_of_even_cells(channels, height, width):
    h = torch.randn(2, channels, height, width, dtype=torch.float64)
    found = pooled(h, LIMIT)
    assert found.shape[1] <= max(LIMIT, channels)
    if channels * height * width <= LIMIT and max(height, width) <= (LIMIT // channels) ** 0.5:
        torch.testing.assert_close(found, h.flatten(1))
    if channels > LIMIT // 4:
        torch.testing.assert_close(found, h.mean((2, 3)))


def test_features_in_batches_are_those_of_every_activation_in_order():
    torch.manual_seed(0)
    names = registry.names("activation")
    layers = [registry.load("activation", name)() for name in names]
    model = Sequential(*(part for layer in layers for part in (Linear(7, 7), layer)))
    x = torch.randn(600, 7)
    found = features(model, x, LIMIT)
    assert len(found) == len(names)
    with torch.no_grad():
        for place, layer in enumerate(found):
            torch.testing.assert_close(layer, model[: 2 * place + 2](x))


def test_networks_are_left_as_they_were_and_numbers_repeat(data):
    one = run(data)
    before = {name: value.clone() for name, value in one.model.state_dict().items()}
    first, again = measured(data, one), measured(data, one)
    for name, table in first.items():
        pd.testing.assert_frame_equal(table, again[name])
    assert all(torch.equal(value, before[name]) for name, value in one.model.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in one.model.parameters())
    assert not any(module._forward_hooks for module in one.model.modules())


def test_hooks_are_gone_after_an_error():
    model = Sequential(Linear(2, 2), ReLU())
    with pytest.raises(ZeroDivisionError), watched(model):
        raise ZeroDivisionError
    assert not any(module._forward_hooks for module in model.modules())


def test_a_network_without_convolutions_has_probes_only_and_a_study_of_such_is_an_error(data):
    perceptron = {"name": "mlp", "width": 5, "depth": 2, "options": {}}
    dense = run(data, network=perceptron, model=Sequential(Flatten(), Linear(SIDE**2, 5), ReLU()), model_kind="dense")
    tables = measured(data, dense, run(data, model_kind="convolutional"))
    assert set(tables["filters"].model_kind) == set(tables["maps"].model_kind) == {"convolutional"}
    assert set(tables["linear_probes"].model_kind) == {"dense", "convolutional"}
    with pytest.raises(UserError, match="feature_hierarchy: the study's networks have no convolution"):
        measured(data, dense)


def test_of_few_images_all_are_used(data):
    more, all_ = (measured(data, run(data), train=train, test=test) for train, test in ((TRAIN, 1000), (100, TEST)))
    assert TRAIN > 100
    pd.testing.assert_frame_equal(more["linear_probes"], all_["linear_probes"])
