"""The landscape around trained networks is that of the chosen networks, on the images that they were trained on."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from finished import finished
from tiny import CLASSES, SIDE, TRAIN, write_tiny
from torch import nn

from phase2.data.prepared import open_prepared
from phase2.models.mlp import MLP
from phase2.nn import cross_entropy
from phase2.probe.landscape.measure import measure as landscape
from phase2.task.images import open_images

TASK = {"name": "images", "validation": 50, "train": 100, "pixels": "natural"}
OPTIONS = {"images": 60, "radius": 0.5, "line": 5, "plane": 3}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("data") / "tiny"))


def run(norm="none", lr=0.1, seed=0, scale=1.0, **axes):
    """A network whose loss grows with the `scale` of its last layer, since it knows nothing."""
    torch.manual_seed(seed)
    model = MLP(SIDE * SIDE, CLASSES, width=6, depth=2, norm=norm).eval()
    with torch.no_grad():
        model.layers[-1].weight.mul_(scale)
    return SimpleNamespace(axes={"norm": norm, "lr": lr, "seed": seed} | axes, model=model, task=TASK)


def measured(data, *runs, **options):
    return landscape(SimpleNamespace(**OPTIONS | options), data, finished(*runs))


def loss_of(data, model, train=False):
    inputs, targets = open_images(data, 50, 60, torch.device("cpu")).train.batch(torch.arange(60), torch.float32)
    with torch.no_grad():
        return cross_entropy(model.train(train)(inputs), targets).item()


def test_there_is_a_row_for_every_network_and_point(data):
    tables = measured(data, *(run(norm, seed=seed) for norm in ("none", "batch") for seed in (2, 0, 1)))
    lines, planes, ways = (tables[name] for name in ("lines", "planes", "interpolation"))
    assert list(lines) == ["norm", "seed", "distance", "loss", "accuracy"]
    assert list(planes) == ["norm", "seed", "x", "y", "loss"]
    assert list(ways) == ["norm", "seed", "to_seed", "position", "loss", "accuracy"]
    assert (len(lines), len(planes), len(ways)) == (2 * 3 * 5, 2 * 9, 2 * 2 * 5)
    assert lines.distance[:5].tolist() == [-0.5, -0.25, 0, 0.25, 0.5]
    assert set(planes.seed) == {0}
    assert list(dict.fromkeys(zip(ways.seed, ways.to_seed, strict=True))) == [(0, 1), (1, 2)]
    assert np.isfinite(lines.loss).all()
    assert lines.accuracy.between(0, 1).all()


def test_the_middle_of_a_line_and_of_a_plane_is_the_networks_loss_on_its_training_images(data):
    one = run()
    tables = measured(data, one)
    expected = pytest.approx(loss_of(data, one.model), rel=1e-5)
    lines, planes = tables["lines"], tables["planes"]
    assert lines[lines.distance == 0].loss.item() == expected
    assert planes[(planes.x == 0) & (planes.y == 0)].loss.item() == expected


def test_batch_norm_statistics_are_those_of_the_same_images(data):
    one = run("batch")
    for layer in one.model.modules():
        if isinstance(layer, nn.Module) and hasattr(layer, "running_mean"):
            layer.running_mean.fill_(100.0)  # what training left is of no matter
    lines = measured(data, one)["lines"]
    assert lines[lines.distance == 0].loss.item() == pytest.approx(loss_of(data, one.model, train=True), rel=0.02)


def test_the_line_is_an_axis_of_the_first_seeds_plane(data):
    tables = measured(data, run(), run(seed=1), line=3)
    first = tables["lines"].query("seed == 0").loss.to_numpy()
    np.testing.assert_allclose(tables["planes"].query("y == 0").loss, first, rtol=1e-5)


def test_the_way_begins_and_ends_at_the_two_solutions(data):
    runs = run(), run(seed=1, scale=3.0)
    way = measured(data, *runs)["interpolation"]
    ends = way[way.position.isin([0, 1])].loss
    assert ends.tolist() == pytest.approx([loss_of(data, one.model) for one in runs], rel=1e-4)


def test_the_rate_of_the_least_mean_loss_is_chosen_for_each_combination(data):
    good = [run(lr=0.3, seed=seed) for seed in (0, 1)]
    bad = [run(lr=0.1, seed=0, scale=20.0), run(lr=0.1, seed=1)]
    alone = measured(data, *good)
    for order in ([*good, *bad], [*bad, *good]):
        for name, table in measured(data, *order).items():
            pd.testing.assert_frame_equal(table, alone[name])


def test_a_rate_at_which_a_seed_is_missing_or_lost_is_not_chosen_before_one_with_all(data):
    lost = run(lr=0.1, seed=1, scale=float("nan"))
    complete = [run(lr=0.3, seed=seed, scale=5.0) for seed in (0, 1)]
    tables = measured(data, run(lr=0.1, seed=0), lost, *complete)
    pd.testing.assert_frame_equal(tables["lines"], measured(data, *complete)["lines"])


def test_a_study_without_rates_or_other_axes_or_with_one_seed_has_its_tables(data):
    one = run()
    one.axes = {"seed": 0}
    tables = measured(data, one)
    assert list(tables["lines"]) == ["seed", "distance", "loss", "accuracy"]
    assert tables["interpolation"].empty
    assert list(tables["interpolation"]) == ["seed", "to_seed", "position", "loss", "accuracy"]


def test_numbers_repeat_and_directions_are_the_same_for_all_networks_of_a_seed(data):
    tables = measured(data, run(), run("layer"))
    again = measured(data, run(), run("layer"))
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, again[name])
    alone = measured(data, run("layer"))["lines"]
    pd.testing.assert_frame_equal(tables["lines"].query("norm == 'layer'").reset_index(drop=True), alone)


def test_of_few_training_images_all_are_used(data):
    more, all_ = (measured(data, run(), images=size)["lines"] for size in (TRAIN, 100))
    assert TRAIN > 100
    pd.testing.assert_frame_equal(more, all_)


def test_networks_without_a_finite_loss_leave_empty_tables(data):
    lost, kept = (measured(data, run(scale=scale)) for scale in (float("inf"), 1.0))
    for name, table in lost.items():
        assert table.empty
        assert list(table) == list(kept[name])
