"""Uncertainty is measured as defined: scores by hand and by libraries, entropies by their identity, inputs by eye."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from finished import finished
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from tiny import CLASSES, SIDE, TEST, write_tiny
from torch.nn import functional as F

from phase2.data.prepared import open_prepared, write
from phase2.errors import UserError
from phase2.models.mlp import MLP
from phase2.nn.linear import Linear
from phase2.probe.runs import Run
from phase2.probe.uncertainty.measure import (
    auroc,
    decomposed,
    deterministic,
    expected_calibration_error,
    monte_carlo,
    reliability,
    resized,
    rotated,
    unscaled,
)
from phase2.probe.uncertainty.measure import measure as uncertainty
from phase2.task.images import open_images

ENTROPIES = ["predictive_entropy", "expected_entropy", "mutual_information"]
LEVELS, SEEDS = (0.0, 0.2, 0.5), (0, 4)
TASK = {"name": "images", "dataset": "tiny", "validation": 50, "train": None}
OPTIONS = {"dropout": 0.5, "angles": [0, 30, -60.0], "samples": 8, "images": TEST}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("data") / "tiny"))


@pytest.fixture(scope="module")
def unfamiliar(tmp_path_factory):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (25, 3, 5, 6), dtype=np.uint8)
    arrays = {"test_images": images, "test_labels": np.zeros(25, int)}
    write(folder := tmp_path_factory.mktemp("other") / "other", arrays, {"dataset": "other"})
    return open_prepared(folder)


def network(dropout, seed):
    torch.manual_seed(seed)
    model = MLP(SIDE * SIDE, CLASSES, width=16, depth=2, dropout=dropout)
    with torch.no_grad():
        model.layers[-1].weight.mul_(5)  # confident
    return Run({"dropout": dropout, "seed": seed}, model.eval(), TASK)


@pytest.fixture(scope="module")
def runs():
    return [network(level, seed) for level in LEVELS for seed in SEEDS]


def measured(data, runs, unfamiliar, **changes):
    return uncertainty(SimpleNamespace(**OPTIONS | changes), data, finished(*runs), unfamiliar)


@pytest.fixture(scope="module")
def tables(data, runs, unfamiliar):
    return measured(data, runs, unfamiliar)


def test_tables_have_a_row_for_everything_that_was_asked(tables):
    inference, calibration, shift, detection = tables.values()
    assert list(tables) == ["inference", "calibration", "shift", "detection"]
    assert list(inference) == ["dropout", "seed", "method", "accuracy", "nll", "brier", "ece", "mean_confidence"]
    assert len(inference.drop_duplicates(["dropout", "seed", "method"])) == len(inference) == 3 * 2 * 3
    assert list(calibration) == ["dropout", "method", "seed", "bin", "confidence", "accuracy", "count"]
    assert len(calibration) == 15 * len(inference)
    assert (calibration.groupby(["dropout", "method", "seed"])["count"].sum() == TEST).all()
    assert shift.groupby("seed").kind.agg(list).tolist() == [["0", "30", "-60", "unfamiliar"]] * 2
    assert sorted(set(detection.kind)) == ["-60", "unfamiliar"]  # the largest angle, whichever way
    without, sampled = ["max_probability", "entropy"], ["mc_max_probability", *ENTROPIES]
    assert detection.groupby(["seed", "kind"]).score.agg(list).tolist() == [without + sampled] * 4
    assert detection.auroc.between(0, 1).all()


def test_tables_repeat_and_a_run_does_not_depend_on_the_others(data, runs, unfamiliar, tables):
    torch.manual_seed(99)
    for name, table in measured(data, runs, unfamiliar).items():
        pd.testing.assert_frame_equal(table, tables[name])
    alone = measured(data, runs[-1:], unfamiliar)
    for name, table in alone.items():
        same = tables[name][tables[name].seed == SEEDS[-1]]
        same = same[same.dropout == 0.5] if "dropout" in same else same
        pd.testing.assert_frame_equal(table, same.reset_index(drop=True))


def test_scores_of_the_deterministic_network_match_torch(data, runs, tables):
    images, labels = open_images(data, 50, None, torch.device("cpu")).test.batch(torch.arange(TEST), torch.float32)
    inference = tables["inference"].query("method == 'deterministic'").set_index(["dropout", "seed"])
    for run in runs:
        logits = run.model(images).detach().double()
        p, row = logits.softmax(-1), inference.loc[(run.axes["dropout"], run.axes["seed"])]
        assert row.accuracy == (logits.argmax(-1) == labels).double().mean()
        assert row.nll == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-5)
        assert row.brier == pytest.approx(3 * F.mse_loss(p, F.one_hot(labels, 3).double()).item(), rel=1e-5)
        assert row.mean_confidence == pytest.approx(p.amax(-1).mean().item(), rel=1e-5)


def test_without_dropout_all_methods_are_one(tables):
    without = tables["inference"].query("dropout == 0").set_index("method").drop(columns="dropout")
    right = without.loc["deterministic"].reset_index(drop=True)
    for method in ("unscaled", "monte_carlo"):
        pd.testing.assert_frame_equal(without.loc[method].reset_index(drop=True), right, rtol=1e-12)


def test_forgotten_scaling_is_the_classic_formulation_without_its_last_step():
    run, x = network(0.5, 0), torch.randn(9, SIDE * SIDE)
    classic = MLP(SIDE * SIDE, CLASSES, width=16, depth=2)  # trained on masks of 0 and 1, used without any
    ours = [layer for layer in run.model.layers if isinstance(layer, Linear)]
    theirs = [layer for layer in classic.layers if isinstance(layer, Linear)]
    with torch.no_grad():
        for layer, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            other.weight.copy_(mine.weight / (1 - 0.5 * (layer > 0)))  # W' = W/(1-p) after dropped units
            other.bias.copy_(mine.bias)
    expected = classic(x).double().log_softmax(-1)
    torch.testing.assert_close(unscaled(run, x), expected, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(deterministic(run, x), expected, atol=0.1)


def test_networks_are_left_as_they_were(data, unfamiliar):
    run, x = network(0.5, 0), torch.randn(4, SIDE * SIDE)
    before = run.model(x)
    measured(data, [run], unfamiliar)
    assert torch.equal(run.model(x), before)
    assert not any(module.training or module._forward_hooks for module in run.model.modules())


def test_monte_carlo_averages_probabilities_over_masks_and_is_finite_where_all_are_zero():
    x = torch.randn(5, SIDE * SIDE)
    one, many = (monte_carlo(network(0.5, 0), x, samples) for samples in (1, 400))
    torch.testing.assert_close(many.exp().sum(-1), torch.ones(5, dtype=torch.float64), rtol=1e-6, atol=0)
    assert (one - many).abs().max() > 0.01
    sure = network(0.2, 0)
    with torch.no_grad():
        sure.model.layers[-1].bias[0] = 1e4
    assert monte_carlo(sure, x, 3)[:, 1].tolist() == pytest.approx([-149 * np.log(2)] * 5)


def test_expected_calibration_error_is_that_of_a_hand_computed_example():
    # Bins of 1/15: 0.62 and 0.65 share (0.6, 0.667], right and wrong; 0.95 is right, in the last; 0.52 is wrong.
    p = torch.tensor([[0.62, 0.38], [0.65, 0.35], [0.05, 0.95], [0.48, 0.52]], dtype=torch.float64)
    bins = reliability(p.log(), torch.tensor([0, 1, 1, 0]))
    filled = bins[bins["count"] > 0].set_index("bin")
    assert filled["count"].to_dict() == {8: 1, 10: 2, 15: 1}
    np.testing.assert_allclose(filled.confidence, [0.52, 0.635, 0.95])
    np.testing.assert_allclose(filled.accuracy, [0, 0.5, 1])
    expected = (1 * 0.52 + 2 * 0.135 + 1 * 0.05) / 4
    assert expected_calibration_error(bins) == pytest.approx(expected)


def test_bins_are_closed_above_and_empty_ones_have_no_accuracy():
    p = torch.tensor([[1.0, 0.0], [0.6, 0.4], [0.6001, 0.3999]], dtype=torch.float64)
    bins = reliability(p.log(), torch.tensor([0, 0, 0])).set_index("bin")
    assert bins.index.tolist() == list(range(1, 16))
    assert bins["count"][bins["count"] > 0].to_dict() == {9: 1, 10: 1, 15: 1}
    assert bins.loc[bins["count"] == 0, ["confidence", "accuracy"]].isna().all(axis=None)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0.1, 1.0, 30.0]), st.integers(1, 6))
def test_mutual_information_is_the_mean_divergence_from_the_mean(seed, scale, samples):
    random = torch.Generator().manual_seed(seed)
    log_p = (scale * torch.randn(samples, 4, 5, generator=random, dtype=torch.float64)).log_softmax(-1)
    parts, mean = decomposed(log_p.exp()), log_p.exp().mean(0).log()
    divergence = (log_p.exp() * (log_p - mean)).sum(-1).mean(0)
    torch.testing.assert_close(parts["mutual_information"], divergence, rtol=1e-9, atol=1e-12)
    assert (parts["mutual_information"] > -1e-12).all()
    assert (parts["predictive_entropy"] <= np.log(5) + 1e-12).all()


def test_entropies_add_up_in_the_table_and_are_0_for_certainty(tables):
    shift = tables["shift"]
    np.testing.assert_allclose(shift.predictive_entropy, shift.expected_entropy + shift.mutual_information)
    assert (shift.mutual_information > 0).all()
    certain = decomposed(torch.eye(3, dtype=torch.float64).expand(2, 3, 3))
    assert all((values == 0).all() for values in certain.values())


def test_images_that_are_not_turned_have_the_accuracy_of_monte_carlo_inference(tables):
    straight = tables["shift"].query("kind == '0'").set_index("seed").accuracy
    inference = tables["inference"].query("method == 'monte_carlo' and dropout == 0.5").set_index("seed").accuracy
    pd.testing.assert_series_equal(straight, inference)
    unfamiliar = tables["shift"].kind == "unfamiliar"
    assert (tables["shift"].accuracy.isna() == unfamiliar).all()


def test_the_same_images_as_unfamiliar_ones_are_not_told_apart(data, runs):
    detection = measured(data, runs, data, angles=[])["detection"]
    assert (detection.auroc == 0.5).all()


def test_images_are_spread_over_a_test_part_that_is_sorted_by_class(data, runs, unfamiliar, tmp_path):
    order = np.argsort(data.arrays["test_labels"], kind="stable")
    arrays = data.arrays | {name: data.arrays[name][order] for name in ("test_images", "test_labels")}
    write(tmp_path / "sorted", arrays, {k: v for k, v in data.meta.items() if k not in ("arrays", "hash")})
    third = measured(open_prepared(tmp_path / "sorted"), runs, unfamiliar, images=TEST // 3)
    rows = order[::3]
    images, labels = open_images(data, 0, None, torch.device("cpu")).test.batch(torch.from_numpy(rows), torch.float32)
    right = (runs[0].model(images).argmax(-1) == labels).double().mean()
    assert third["inference"].accuracy[0] == right.item()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_auroc_matches_scikit_learn_with_ties(positive, negative):
    truth = [1] * len(positive) + [0] * len(negative)
    area = auroc(torch.tensor(positive), torch.tensor(negative))
    assert area == pytest.approx(roc_auc_score(truth, positive + negative))


def test_quarter_turns_are_exact_and_counter_clockwise():
    images = torch.rand(2, 3, 7, 7)
    for turns in range(-4, 5):
        turned = rotated(images, 90 * turns)
        torch.testing.assert_close(turned, torch.rot90(images, turns, (2, 3)), rtol=0, atol=1e-5)


def test_oblong_images_turn_without_being_stretched():
    images = torch.rand(2, 1, 4, 8)
    in_square = F.pad(images, (0, 0, 2, 2))
    for angle in (90, 180, 33):
        torch.testing.assert_close(rotated(images, angle), rotated(in_square, angle)[:, :, 2:6], rtol=0, atol=1e-5)


def test_corners_turned_in_from_outside_are_black():
    turned = rotated(torch.ones(1, 1, 9, 9), 45)
    assert turned[0, 0, 0, 0] == turned[0, 0, -1, 0] == 0
    assert turned[0, 0, 4, 4] == 1


def test_other_images_take_the_shape_of_the_training_images():
    images = torch.rand(2, 3, 8, 8)
    assert resized(images, (3, 28, 20)).shape == (2, 3, 28, 20)
    grey = resized(images, (1, 8, 8))
    torch.testing.assert_close(grey[:, 0], images.mean(1))
    coloured = resized(images[:, :1], (3, 8, 8))
    assert torch.equal(coloured, images[:, :1].expand(-1, 3, -1, -1))
    torch.testing.assert_close(resized(torch.full((1, 1, 8, 8), 0.3), (1, 28, 28)), torch.full((1, 1, 28, 28), 0.3))


def test_of_few_test_images_all_are_used(data, runs, unfamiliar, tables):
    for name, table in measured(data, runs, unfamiliar, images=1000).items():
        pd.testing.assert_frame_equal(table, tables[name])


def test_pixels_are_in_the_order_of_the_studys_task_and_turned_before(data, runs, unfamiliar):
    permuted = [replace(run, task=TASK | {"pixels": "permuted"}) for run in runs]
    found = measured(data, permuted, unfamiliar)
    test = open_images(data, 50, None, torch.device("cpu"), pixels="permuted").test
    images, labels = test.batch(torch.arange(TEST), torch.float32)
    right = (runs[0].model(images).argmax(-1) == labels).double().mean().item()
    assert found["inference"].accuracy[0] == right
    half = measured(data, permuted, unfamiliar, angles=[180])["shift"].query("kind == '180'").accuracy
    whole = torch.rot90(test.images, 2, (2, 3))
    turned = replace(test, images=whole).batch(torch.arange(TEST), torch.float32)[0]
    run = permuted[LEVELS.index(0.5) * len(SEEDS)]
    assert half.iloc[0] == (monte_carlo(run, turned, 8).argmax(-1) == labels).double().mean().item()


@torch.no_grad()
def test_scores_of_detection_are_of_the_same_inputs_with_and_without_masks(data, runs, unfamiliar, tables):
    run, test = runs[-1], open_images(data, 50, None, torch.device("cpu")).test
    seen = test.batch(torch.arange(TEST), torch.float32)[0]
    turned = rotated(test.images.float(), -60)
    turned = replace(test, images=turned).batch(torch.arange(TEST), torch.float32)[0]
    rows = tables["detection"].query("seed == 4 and kind == '-60'").set_index("score").auroc
    plain = [-deterministic(run, x).exp().amax(-1) for x in (turned, seen)]
    assert rows["max_probability"] == pytest.approx(auroc(*plain))
    sampled = [-monte_carlo(run, x, OPTIONS["samples"]).exp().amax(-1) for x in (turned, seen)]
    assert rows["mc_max_probability"] == pytest.approx(auroc(*sampled))


def test_wrong_settings_name_the_argument_and_what_was_expected(data, runs, unfamiliar):
    for level in (0.3, 0):
        with pytest.raises(UserError, match=rf"dropout={level}, expected a level above 0 .*\[0.2, 0.5\]"):
            measured(data, runs, unfamiliar, dropout=level)
    other = Run({"dropout": 0.5, "width": 16, "seed": 0}, runs[-1].model)
    with pytest.raises(UserError, match="axes are dropout, width, seed, expected dropout and seed alone"):
        measured(data, [other], unfamiliar)
