"""Averages of the weights: what they are, against torch's, and that they are what is judged."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from packs import CPU, LANES, largest_difference, recipe, summary, train, training_order
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from phase2 import registry
from phase2.errors import UserError
from phase2.task.task import Task
from phase2.train.average import reestimate
from phase2.train.lanes import evaluate
from phase2.train.loop import Training

NAMES = [name for name in registry.names("average") if name != "none"]
SETTINGS = {"ema": {"decay": 0.9}, "lookahead": {"every": 3, "decay": 0.4}, "swa": {"start": 0.25}}
NORMED = recipe(norm="batch")


def averaged(name: str, **changes) -> Training:
    return replace(recipe(norm="batch", average=name, average_options=SETTINGS[name]), **changes)


def lane_of(weights: dict[str, Tensor], lane: int) -> dict[str, Tensor]:
    return {name: value[lane] for name, value in weights.items()}


def stepped(training: Training):
    """The number of each step once it is taken, through the whole training."""
    for epoch in range(training.recipe.epochs):
        for rows in training_order(training.recipe, training.task, epoch).split(training.recipe.batch_size):
            training.step(rows)
            yield training.state.step
        training.state.seconds += 1.0
        training.end_epoch()


def test_every_average_of_the_registry_is_tested_here():
    assert set(SETTINGS) == set(NAMES)


def test_the_exponential_average_is_torchs_with_copied_buffers(parts: Task):
    training = Training(averaged("ema"), LANES, parts, CPU, torch.float64)
    networks = [deepcopy(training.stack.base) for _ in LANES]
    theirs = [AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.9)) for network in networks]
    for _ in stepped(training):
        weights, judged = training.stack.weights(), training.judged.weights()
        for lane, (network, average) in enumerate(zip(networks, theirs, strict=True)):
            network.load_state_dict(lane_of(weights, lane))
            average.update_parameters(network)
            assert largest_difference(lane_of(judged, lane), average.module.state_dict()) < 1e-14
    assert largest_difference(training.judged.weights(), training.stack.weights()) > 1e-3


def test_stochastic_weight_averaging_is_torchs_with_running_statistics_of_the_average(parts: Task):
    training = Training(averaged("swa"), LANES, parts, CPU, torch.float64)
    networks = [deepcopy(training.stack.base) for _ in LANES]
    theirs = [AveragedModel(network) for network in networks]
    batches = [batch for batch, _ in parts.train.in_order(32, torch.float64)]
    for step in stepped(training):
        if step % 5 or step == 5:  # the ends of epochs 2, 3 and 4 are averaged
            continue
        for lane, (network, average) in enumerate(zip(networks, theirs, strict=True)):
            network.load_state_dict(lane_of(training.stack.weights(), lane))
            average.update_parameters(network)
    judged = training._reestimated(training.judged).weights()
    for lane, average in enumerate(theirs):
        update_bn(batches, average)
        assert largest_difference(lane_of(judged, lane), average.module.state_dict()) < 1e-12


def test_before_its_start_the_weights_themselves_are_judged(parts: Task):
    training = Training(averaged("swa"), LANES, parts, CPU, torch.float64)
    steps = stepped(training)
    for _ in range(6):
        next(steps)
    assert training.judged is training.stack  # the first of four epochs is not above a quarter of them


@pytest.mark.parametrize("power", [0.0, 3.0])
def test_lookahead_sets_the_fast_weights_back_to_the_slow_ones(power: float, parts: Task):
    options = {"every": 3, "decay": 0.4, "power": power}
    ours = Training(replace(NORMED, average="lookahead", average_options=options), LANES, parts, CPU, torch.float64)
    theirs = Training(NORMED, LANES, parts, CPU, torch.float64)
    slow = theirs.stack.weights()
    for step, _ in zip(stepped(theirs), stepped(ours), strict=True):
        fast = theirs.stack.weights()
        if step % 3 == 0:
            kept = 0.4 * (step / 20) ** power
            for name in theirs.stack.parameters:
                slow[name] = kept * slow[name] + (1 - kept) * fast[name]
            theirs.stack.load(fast | {name: slow[name] for name in theirs.stack.parameters})
        assert largest_difference(ours.stack.weights(), theirs.stack.weights()) < 1e-12
        judged = theirs.stack.weights() | {name: slow[name] for name in theirs.stack.parameters}
        assert largest_difference(ours.judged.weights(), judged) < 1e-12


@pytest.mark.parametrize("name", NAMES)
def test_what_is_validated_kept_and_tested_is_the_average(name: str, parts: Task, tmp_path: Path):
    pack = averaged(name)
    results = train(pack, LANES, parts, tmp_path, torch.float64, keep_epochs=range(1, 5))
    training = Training(pack, LANES, parts, CPU, torch.float64)
    for _ in stepped(training):
        pass
    last = training._reestimated(training.judged)
    weights, test = last.weights(), evaluate(last, parts.test, torch.float64)
    for lane, result in enumerate(results):
        assert largest_difference(result.weights["epoch=04"], lane_of(weights, lane)) == 0
        assert result.final["test_loss"] == test["loss"][lane].item()
        assert result.final["val_loss"] == result.history[-1]["loss"]
        best = result.weights[f"epoch={result.best['epoch']:02d}"]
        assert largest_difference(result.weights["best"], best) == 0
        last.load({key: value.unsqueeze(0).expand(3, *value.shape) for key, value in best.items()})
        assert result.best["test_loss"] == pytest.approx(evaluate(last, parts.test, torch.float64)["loss"][lane].item())


def test_without_an_average_nothing_is_averaged(parts: Task, tmp_path: Path):
    plain, ema = (train(replace(NORMED, average=each), LANES, parts, tmp_path / each) for each in ("none", "ema"))
    assert ema[0].history[0]["loss"] == plain[0].history[0]["loss"]  # it leaves training alone
    assert ema[0].history[1]["loss"] != plain[0].history[1]["loss"]


@pytest.mark.parametrize("name", NAMES)
def test_counters_are_never_averaged_and_the_network_in_training_keeps_its_statistics(name: str, parts: Task):
    training = Training(averaged(name), LANES, parts, CPU, torch.float32)
    for _ in stepped(training):
        pass
    before = training.stack.weights()
    training.results()
    after = training.stack.weights()
    assert all(torch.equal(after[key], before[key]) for key in before)
    counters = [key for key in before if key.endswith("num_batches_tracked")]
    assert all(before[key].tolist() == [20] * 3 for key in counters)
    assert all(value.dtype == torch.int64 for key, value in training.judged.weights().items() if key in counters)


@pytest.mark.parametrize("name", NAMES)
def test_a_lane_that_diverges_leaves_the_averages_of_the_others_alone(name: str, parts: Task, tmp_path: Path):
    lost = replace(LANES[1], schedule="constant", lr=1e30)
    pack = averaged(name, model_options=recipe(activation="relu").model_options)
    bad = train(pack, [LANES[0], lost, LANES[2]], parts, tmp_path / "bad")
    good = train(pack, LANES, parts, tmp_path / "good")
    assert [result.status for result in bad] == ["ok", "diverged", "ok"]
    for lane in (0, 2):
        assert summary(bad)[lane] == summary(good)[lane]


def test_statistics_measured_anew_leave_modes_and_momenta_as_they_were(parts: Task):
    stack = Training(NORMED, LANES, parts, CPU, torch.float64).stack
    reestimate(stack, parts.train, torch.float64, 32)
    norms = [module for module in stack.base.modules() if isinstance(module, nn.BatchNorm1d)]
    assert [norm.momentum for norm in norms] == [0.1, 0.1]


@pytest.mark.parametrize(
    ("name", "options", "fault"),
    [
        ("ema", {"decay": 1.0}, r"average\.options\.decay=1\.0: expected a number from 0 to below 1"),
        ("lookahead", {"every": 0}, r"every=0: expected a whole number of steps, 1 or more"),
        ("lookahead", {"every": 2.5}, r"every=2\.5: expected a whole number"),
        ("lookahead", {"decay": -0.1}, r"decay=-0\.1: expected"),
        ("lookahead", {"power": -1.0}, r"power=-1\.0: expected 0 or more"),
        ("swa", {"start": 1.0}, r"start=1\.0: expected a share of the epochs"),
        ("ema", {"start": 0.5}, r"the average ema refuses its options \{'start': 0\.5\}"),
    ],
)
def test_an_option_out_of_range_is_refused(name: str, options: dict, fault: str, parts: Task):
    with pytest.raises(UserError, match=fault):
        Training(replace(NORMED, average=name, average_options=options), LANES, parts, CPU, torch.float64)
