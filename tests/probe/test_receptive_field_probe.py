"""The effective receptive field is where theory puts it in random stacks, and is measured as defined in networks."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from finished import finished
from tiny import CLASSES, SIDE, TEST, write_tiny
from torch import nn

from phase2 import registry
from phase2.data.prepared import open_prepared
from phase2.files import canonical_json
from phase2.nn.convolution.conv import Conv2d
from phase2.nn.linear import Linear
from phase2.probe.receptive_field.fields import last_map
from phase2.probe.receptive_field.measure import VARIANTS, predicted, squared_gradient, stack
from phase2.probe.receptive_field.measure import measure as receptive_field
from phase2.probe.runs import Run, at_start
from phase2.study.cell import Cell
from phase2.task.opening import open_task

OPTIONS = {"depths": [2, 4, 8, 16], "width": 16, "images": 16, "seeds": [0, 1, 2]}
SMALL = {"depths": [2], "width": 2, "images": 4, "seeds": [0]}
TASK = {"name": "images", "validation": 50, "train": 100, "pixels": "natural"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("data") / "tiny"))


def run(model="cifar_resnet", seed=0, **options):
    """A network as if trained: its weights are from another stream than those of its start."""
    options = ({"depth": 8, "width": 2} if model != "lenet" else {}) | options
    spec = {
        "model": {"name": model, "options": options},
        "optimizer": {"name": "sgd", "options": {}},
        "budget": {"batch_size": 10, "epochs": 1},
        "init": "kaiming",
        "task": TASK,
        "seed": seed,
    }
    axes = {"model": model, "seed": seed}
    torch.manual_seed(seed)
    network = registry.load("model", model)((1, SIDE, SIDE), CLASSES, **options).eval()
    return Run(axes, network, TASK, Cell("a_study", tuple(axes.items()), canonical_json(spec)))


def measured(data, *runs, **options):
    return receptive_field(SimpleNamespace(**SMALL | options), data, finished(*runs))


@pytest.fixture(scope="module")
def grown(data):
    tables = measured(data, run("lenet"), **OPTIONS)
    return tables["growth"], tables["profiles"]


def convolved(depth):
    """The convolution of so many uniform kernels of 3 places."""
    profile = np.ones(1)
    for _ in range(depth):
        profile = np.convolve(profile, np.full(3, 1 / 3))
    return profile


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_the_field_of_a_stack_is_that_of_its_graph(variant, depth):
    field, _ = predicted(variant, depth)
    features, along = last_map(stack(variant, depth, width=2, seed=0), (2, field, field))
    assert features(torch.zeros(1, 2, field, field)).shape[2:] == (1, 1)
    assert [(one.size, one.start) for one in along] == [(field, 0)] * 2


@pytest.mark.parametrize("depth", [1, 3, 9])
def test_predictions_are_the_formulas(depth):
    plain = np.sqrt(depth * (3**2 - 1) / 12)
    assert predicted("linear", depth) == predicted("relu", depth) == (2 * depth + 1, pytest.approx(plain))
    assert predicted("dilation", depth) == (4 * depth + 1, pytest.approx(2 * plain))
    assert predicted("residual", depth)[1] == pytest.approx(plain / np.sqrt(2))
    steps = {1: [1], 3: [1, 2, 4], 9: [1] * 3 + [2] * 3 + [4] * 3}[depth]
    variance = sum(2 / 3 * step**2 for step in steps)
    assert predicted("stride", depth) == (1 + 2 * sum(steps), pytest.approx(np.sqrt(variance)))


def test_measured_spread_is_the_theorys_in_every_stack(grown):
    growth, _ = grown
    ratio = growth.sigma / growth.predicted
    assert len(ratio) == len(VARIANTS) * 4 * 3
    assert ratio.between(0.9, 1.1).all()
    means = ratio.groupby([growth.variant, growth.depth]).mean()
    assert (means - 1).abs().max() < 0.05


def test_spread_grows_with_the_square_root_of_the_depth_and_the_field_with_the_depth(grown):
    growth, _ = grown
    means = growth.groupby(["variant", "depth"])[["sigma", "field"]].mean()
    for variant in ("linear", "relu", "dilation", "residual"):
        table = means.loc[variant]
        slope = np.polyfit(np.log(table.index), np.log(table.sigma), 1)[0]
        assert slope == pytest.approx(0.5, abs=0.04)
        share = table.sigma / table.field
        assert (np.diff(share) < 0).all()
    assert means.loc["stride"].sigma.loc[16] > 2 * means.loc["linear"].sigma.loc[16]


def test_profiles_are_parts_of_one_with_the_spread_of_the_table(grown):
    growth, profiles = grown
    keys = ["variant", "depth", "seed"]
    sums = profiles.groupby(keys)[["measured", "gaussian"]].sum()
    np.testing.assert_allclose(sums, 1)
    spread = (profiles.measured * profiles.position**2).groupby([profiles[key] for key in keys]).sum() ** 0.5
    np.testing.assert_allclose(spread.sort_index(), growth.set_index(keys).sigma.sort_index())
    apart = (profiles.measured - profiles.gaussian).abs().groupby([profiles[key] for key in keys]).sum() / 2
    np.testing.assert_allclose(apart.sort_index(), growth.set_index(keys).misfit.sort_index())


def test_a_profile_is_the_convolution_of_its_kernels_and_gaussian_beyond_a_few_layers(grown):
    growth, profiles = grown
    deep = profiles[(profiles.variant == "linear") & (profiles.depth == 8)].groupby("position").measured.mean()
    np.testing.assert_allclose(deep, convolved(8), atol=0.01)
    misfit = growth.groupby(["variant", "depth"]).misfit.mean()
    for variant in ("linear", "relu", "dilation"):
        assert misfit[variant, 8] < misfit[variant, 2] / 2
        assert misfit[variant, 8] < 0.04


def test_dilation_leaves_every_other_pixel_unseen_and_its_gaussian_too(grown):
    _, profiles = grown
    between = profiles[(profiles.variant == "dilation") & (profiles.position % 2 == 1)]
    assert len(between)
    assert (between[["measured", "gaussian"]] == 0).all(axis=None)


def test_the_squared_gradient_is_that_of_the_central_unit_summed_over_all_channels():
    torch.manual_seed(0)
    network = nn.Sequential(Conv2d(2, 5, 3), nn.Tanh(), Conv2d(5, 4, 3))
    images = torch.randn(3, 2, 8, 9)
    expected = torch.zeros(8, 9, dtype=torch.float64)
    for image in images:
        jacobian = torch.autograd.functional.jacobian(lambda x: network(x[None])[0, :, 2, 2], image)
        expected += jacobian.double().square().sum((0, 1)) / 3
    found = np.mean([squared_gradient(network, images, seed) for seed in range(300)], axis=0)
    np.testing.assert_allclose(found, expected, atol=0.1 * expected.max())
    assert (found[expected.numpy() == 0] == 0).all()


def test_tables_have_a_row_for_every_network_at_its_start_and_trained_and_maps_of_the_first_seed(data):
    tables = measured(data, *(run(model, seed) for model in ("lenet", "plain") for seed in (3, 4)))
    fields, maps = tables["fields"], tables["maps"]
    assert list(fields.columns[:5]) == ["model", "seed", "when", "field", "start"]
    assert list(zip(fields.model, fields.seed, fields.when, strict=True)) == [
        (model, seed, when) for model in ("lenet", "plain") for seed in (3, 4) for when in ("start", "trained")
    ]
    assert list(maps.columns) == ["model", "seed", "when", "row", "column", "value"]
    assert len(maps) == 2 * 2 * SIDE * SIDE
    assert set(maps.seed) == {3}
    assert fields.share.between(0, 1, inclusive="right").all()


def test_moments_and_share_are_those_of_the_map(data):
    tables = measured(data, run("plain"))
    seen = tables["fields"].iloc[1]
    values = tables["maps"][tables["maps"].when == "trained"].pivot(index="row", columns="column", values="value")
    weights = values / values.sum(axis=None)
    rows = weights.sum(axis=1)
    assert seen.row == pytest.approx(rows @ rows.index)
    assert seen.sigma_row == pytest.approx(np.sqrt(rows @ (rows.index - seen.row) ** 2))
    columns = weights.sum(axis=0)
    assert seen.sigma_column == pytest.approx(np.sqrt(columns @ (columns.index - seen.column) ** 2))
    assert seen.sigma == pytest.approx(np.sqrt(seen.sigma_row * seen.sigma_column))
    ordered = np.sort(weights.to_numpy().ravel())[::-1].cumsum()
    assert seen.share == (np.argmax(ordered >= 1 - np.exp(-2)) + 1) / weights.size  # the field is the whole image
    assert (seen.field, seen.start) == (25, -12 + 4)


def test_the_share_counts_only_the_theoretical_field_inside_the_image(data):
    one = run("plain")
    one.model.layer1, one.model.layer2, one.model.layer3 = (nn.Identity() for _ in range(3))
    one.model.conv1.weight.data.fill_(1.0)  # sees 3x3 pixels alike
    one.model.fc = Linear(2, CLASSES)
    seen = measured(data, one)["fields"].iloc[1]
    assert (seen.field, seen.start, seen.row, seen.column) == (3, 3, 4, 4)
    assert seen.sigma == pytest.approx(np.sqrt(2 / 3))
    assert seen.share == pytest.approx(8 / 9)


def test_before_training_batch_norm_has_the_statistics_of_the_images(data):
    one = run()
    start = at_start(one, data)
    test = open_task(TASK, data, torch.device("cpu")).test
    images, _ = test.batch(torch.arange(4) * 15, torch.float32)
    features = last_map(start, (1, SIDE, SIDE)).features
    for module in features.modules():
        module.train(type(module).__name__ == "BatchNorm2d")
        module.momentum = 1.0
    with torch.no_grad():
        features(images)
    found = squared_gradient(features.eval(), images, 0)
    maps = measured(data, one)["maps"]
    shown = maps[maps.when == "start"].pivot(index="row", columns="column", values="value")
    np.testing.assert_allclose(shown, found, rtol=1e-3)


def test_networks_are_left_as_they_were_and_numbers_repeat(data):
    one = run()
    before = {name: value.clone() for name, value in one.model.state_dict().items()}
    tables = measured(data, one)
    for name, table in measured(data, one).items():
        pd.testing.assert_frame_equal(table, tables[name])
    assert all(torch.equal(value, before[name]) for name, value in one.model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in one.model.parameters())


def test_of_few_test_images_all_are_used(data):
    more, all_ = (measured(data, run(), images=size)["fields"] for size in (1000, TEST))
    pd.testing.assert_frame_equal(more, all_)
