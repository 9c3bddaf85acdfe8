"""Lanes of a pack: alone, together, clipped, and when one of them diverges."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from packs import (
    CPU,
    LANES,
    clipped,
    digest,
    largest_difference,
    recipe,
    summary,
    train,
    trained_weights,
    training_order,
)

from phase2 import registry
from phase2.errors import UserError
from phase2.task.task import Task
from phase2.train.loop import Training
from phase2.train.recipe import Lane

ADAM = {"optimizer": "adam", "optimizer_options": {}}
OTHERS = [name for name in registry.names("optimizer") if name != "sgd"]
LONG = 8  # epochs of 5 steps
EXPLOSIVE = recipe(activation="relu")
EXPLODING = Lane("kaiming", "constant", 1e30, 1e-3)


LIMITED = [replace(LANES[0], clip=0.5), replace(LANES[1], clip_value=0.01), replace(LANES[2], clip=1.0, clip_value=0.1)]
CYCLED = [LANES[0], replace(LANES[1], schedule="one_cycle_momentum"), LANES[2]]


@pytest.mark.parametrize("optimizer", [{}, *({"optimizer": n, "optimizer_options": {}} for n in OTHERS)], ids=str)
@pytest.mark.parametrize("lanes", [LANES, LIMITED], ids=["free", "clipped"])
def test_every_lane_is_the_same_alone_and_in_a_pack(lanes: list[Lane], optimizer: dict, parts: Task):
    """In float64 after 40 steps, to 1e-10: only the summation order of the stacked products differs."""
    pack = recipe(epochs=LONG, **optimizer)
    together = trained_weights(pack, lanes, parts)
    for lane, weights in zip(lanes, together, strict=True):
        (alone,) = trained_weights(pack, [lane], parts)
        assert largest_difference(weights, alone) < 1e-10


@pytest.mark.parametrize("optimizer", [{}, ADAM, {"optimizer": "adamw", "optimizer_options": {}}], ids=str)
def test_a_lane_whose_schedule_cycles_the_momentum_is_the_same_alone_and_in_a_pack(optimizer: dict, parts: Task):
    pack = recipe(epochs=LONG, **optimizer)
    together = trained_weights(pack, CYCLED, parts)
    assert largest_difference(together[1], trained_weights(pack, LANES, parts)[1]) > 1e-4
    for lane, weights in zip(CYCLED, together, strict=True):
        (alone,) = trained_weights(pack, [lane], parts)
        assert largest_difference(weights, alone) < 1e-10


@pytest.mark.parametrize("optimizer", [{}, ADAM], ids=["sgd", "adam"])
@pytest.mark.parametrize("activation", registry.names("activation"))
def test_a_lane_of_any_activation_is_the_same_alone_and_in_a_pack(activation: str, optimizer: dict, parts: Task):
    pack, lanes = recipe(activation=activation, epochs=LONG, **optimizer), clipped(LANES, 0.5)
    together = trained_weights(pack, lanes, parts)
    (alone,) = trained_weights(pack, [lanes[1]], parts)
    assert largest_difference(together[1], alone) < 1e-10


@pytest.mark.parametrize("norm", registry.names("norm"))
def test_a_lane_of_any_norm_is_the_same_alone_and_in_a_pack_running_statistics_too(norm: str, parts: Task):
    pack, lanes = recipe(norm=norm, epochs=LONG), clipped(LANES, 0.5)
    together = trained_weights(pack, lanes, parts)
    assert any("running_mean" in name for name in together[0]) == (norm == "batch")
    for lane, weights in zip(lanes, together, strict=True):
        (alone,) = trained_weights(pack, [lane], parts)
        assert largest_difference(weights, alone) < 1e-10


@pytest.mark.parametrize("backend", ["scratch", "fused"])
def test_a_lane_of_a_convolutional_network_is_the_same_alone_and_in_a_pack_bit_for_bit(backend: str, parts: Task):
    """Its lanes go one after the other, and none is stacked with another."""
    pack = replace(recipe(model="lenet", epochs=1), model_options={"norm": "batch", "backend": backend})
    together = trained_weights(pack, LANES, parts)
    for lane, weights in zip(LANES, together, strict=True):
        (alone,) = trained_weights(pack, [lane], parts)
        assert largest_difference(weights, alone) == 0


def test_a_model_that_refuses_its_options_says_which(parts: Task):
    with pytest.raises(UserError, match=r"the model lenet refuses its options .*'depth': 2.*unexpected keyword"):
        Training(recipe(model="lenet"), LANES, parts, CPU, torch.float64)


def test_a_lane_with_dropout_is_the_same_alone_and_in_a_pack(parts: Task):
    """Masks are drawn from the seed and the step, so they do not depend on who shares the pack."""
    pack = recipe(dropout=0.5, epochs=LONG)
    together = trained_weights(pack, LANES, parts)
    for lane, weights in zip(LANES, together, strict=True):
        (alone,) = trained_weights(pack, [lane], parts)
        assert largest_difference(weights, alone) < 1e-10
    assert largest_difference(together[0], trained_weights(recipe(dropout=0.2, epochs=LONG), LANES, parts)[0]) > 1e-3


def test_a_step_with_dropout_neither_reads_nor_moves_the_global_random_state(parts: Task):
    losses = []
    for seed in (5, 6):
        training = Training(recipe(dropout=0.5), LANES, parts, CPU, torch.float64)
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        training.step(torch.arange(32))
        assert torch.equal(torch.get_rng_state(), before)
        losses.append(training.state.loss_sum)
    assert torch.equal(*losses)


@pytest.mark.parametrize("init", registry.names("init"))
def test_a_lane_of_any_initialization_is_the_same_alone_and_in_a_pack(init: str, parts: Task):
    lanes = [Lane(init, "cosine", 0.01), *LANES]
    together = trained_weights(recipe(epochs=LONG), lanes, parts)
    (alone,) = trained_weights(recipe(epochs=LONG), lanes[:1], parts)
    assert largest_difference(together[0], alone) < 1e-10


def test_a_lane_in_float32_differs_alone_and_in_a_pack_by_rounding_alone(parts: Task):
    """A product over all lanes sums in another order than one lane's, which costs the last bit (2⁻²⁴) a step.

    40 steps of a well-conditioned training amplify it little: to 1e-5 of weights of order 1.
    """
    together = trained_weights(recipe(epochs=LONG), LANES, parts, torch.float32)
    for lane, weights in zip(LANES, together, strict=True):
        (alone,) = trained_weights(recipe(epochs=LONG), [lane], parts, torch.float32)
        assert largest_difference(weights, alone) < 1e-5


def test_a_lane_does_not_depend_on_its_place_in_the_pack(parts: Task):
    forwards = trained_weights(recipe(), LANES, parts)
    backwards = trained_weights(recipe(), LANES[::-1], parts)
    for ours, theirs in zip(forwards, backwards[::-1], strict=True):
        assert largest_difference(ours, theirs) < 1e-10


def test_lanes_start_from_the_same_noise_and_learn_apart(parts: Task):
    lanes = [Lane("kaiming", "constant", lr) for lr in (0.1, 0.01)]
    start = Training(recipe(), lanes, parts, CPU, torch.float64).stack.weights()
    first, second = trained_weights(recipe(), lanes, parts)
    assert all(torch.equal(value[0], value[1]) for value in start.values())
    assert largest_difference(first, second) > 1e-3


def test_clipping_is_by_lane(parts: Task):
    """After one step of plain SGD from one start, the lanes have moved by lr times their own clipped norm."""
    clip = 0.5
    lanes = [Lane(init, "constant", 1.0, clip=clip) for init in ("normal_small", "normal_large")]
    training = Training(recipe(optimizer_options={}), lanes, parts, CPU, torch.float64)
    before = training.stack.weights()
    training.step(torch.arange(32))
    moved = [
        torch.cat([(value[lane] - before[name][lane]).flatten() for name, value in training.stack.weights().items()])
        for lane in range(2)
    ]
    norms = training.state.norm_sum
    assert norms[0] < clip < norms[1]
    assert moved[0].norm().item() == pytest.approx(norms[0].item(), rel=1e-9)
    assert moved[1].norm().item() == pytest.approx(clip, rel=1e-5)  # the clip divides by norm + 1e-6


@pytest.mark.parametrize("optimizer", [{}, ADAM], ids=["sgd", "adam"])
def test_a_diverging_lane_leaves_its_pack_mates_their_bits(optimizer: dict, parts: Task, tmp_path: Path):
    pack, (first, harmless, third) = replace(EXPLOSIVE, **optimizer), LANES
    with_bad = train(pack, [first, EXPLODING, third], parts, tmp_path / "bad")
    without = train(pack, [first, harmless, third], parts, tmp_path / "good")
    assert [result.status for result in with_bad] == ["ok", "diverged", "ok"]
    assert [result.status for result in without] == ["ok", "ok", "ok"]
    for lane in (0, 2):
        assert summary(with_bad)[lane] == summary(without)[lane]


def test_a_diverged_lane_is_frozen_at_the_step_that_left_the_finite_numbers(parts: Task):
    training = Training(EXPLOSIVE, [LANES[0], EXPLODING], parts, CPU, torch.float32)
    losses, weights = [], []
    for rows in training_order(EXPLOSIVE, parts, 0).split(32):
        images, labels = parts.train.batch(rows, torch.float32)
        losses.append(training.stack.measure(images, labels)[0])
        training.step(rows)
        weights.append(digest({name: value[1] for name, value in training.stack.weights().items()}))
    dead = [step for step, loss in enumerate(losses) if not loss[1].isfinite()]
    assert dead == [1, 2, 3, 4]  # the first update leaves weights whose products float32 cannot hold
    assert training.state.diverged_step.tolist() == [-1, 1]
    assert len(set(weights)) == 1


def test_a_lane_that_diverges_late_keeps_its_finished_epochs_and_has_no_metrics(parts: Task):
    training = Training(EXPLOSIVE, LANES[:2], parts, CPU, torch.float32)
    for epoch in range(EXPLOSIVE.epochs):
        for rows in training_order(EXPLOSIVE, parts, epoch).split(32):
            training.step(rows)
            if training.state.step == 7:
                for parameter in training.stack.parameters.values():
                    parameter.data[1] = 1e30
        training.state.seconds += 1.0  # what the loop measures
        training.end_epoch()
    good, bad = training.results()
    assert (good.status, good.diverged_step, len(good.history)) == ("ok", None, 8)
    assert (bad.status, bad.diverged_step) == ("diverged", 7)
    assert (bad.final, bad.best, bad.weights) == (None, None, {})
    assert [(row["epoch"], row["split"]) for row in bad.history] == [(1, "train"), (1, "val")]


def test_a_lane_whose_test_loss_alone_overflows_has_diverged(parts: Task, tmp_path: Path):
    """Metrics are finite numbers or absent: JSON has no infinity."""
    bright = replace(parts.test, mean=torch.full((1, 1, 1), -1e38), std=torch.full((1, 1, 1), 1e-3))
    results = train(EXPLOSIVE, LANES, replace(parts, test=bright), tmp_path)
    assert [(result.status, result.final, result.diverged_step) for result in results] == [("diverged", None, 19)] * 3


def test_a_lane_that_overflows_in_the_last_step_has_diverged_there(parts: Task, tmp_path: Path):
    """One step an epoch, one epoch: only the evaluation after it can see that the lane is lost."""
    once = replace(EXPLOSIVE, batch_size=len(parts.train), epochs=1)
    good, bad = train(once, [LANES[0], EXPLODING], parts, tmp_path)
    assert (good.status, bad.status, bad.diverged_step) == ("ok", "diverged", 0)


def test_a_pack_whose_lanes_all_diverge_ends(parts: Task, tmp_path: Path):
    results = train(EXPLOSIVE, [EXPLODING, replace(EXPLODING, init="xavier")], parts, tmp_path)
    assert [result.status for result in results] == ["diverged", "diverged"]


def test_a_schedule_that_cycles_the_momentum_is_refused_for_an_optimizer_that_has_none(parts: Task):
    with pytest.raises(
        UserError, match=r"a schedule cycles the momentum, and SGD has none: set .* or choose one_cycle"
    ):
        Training(recipe(optimizer_options={}), CYCLED, parts, CPU, torch.float64)
