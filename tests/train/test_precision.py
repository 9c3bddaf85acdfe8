"""What networks compute in, and the loss scaler of float16: lane by lane, torch's."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from packs import CPU, LANES, largest_difference, recipe, summary, train, trained_weights
from torch import Tensor, nn

from phase2.nn import Linear
from phase2.task.task import Task
from phase2.train.loop import Training
from phase2.train.precision import LEAST_SCALE, LossScaler, warn_if_slow

ROWS = torch.arange(32)
HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def torch_steps(outcomes: list[bool], interval: int) -> list[tuple[float, int, float]]:
    """Scale, growth tracker and weight after each step of torch's scaler, on a loss w of gradient 1, or infinite."""
    weight = nn.Parameter(torch.tensor([1.0]))
    optimizer = torch.optim.SGD([weight], lr=0.125)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=interval)
    told = []
    for finite in outcomes:
        optimizer.zero_grad()
        scaler.scale(weight.sum()).backward()
        if not finite:
            weight.grad.fill_(torch.inf)
        scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
        told.append((scaler.get_scale(), scaler._get_growth_tracker(), weight.item()))
    return told


@settings(deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=12), min_size=1, max_size=3), st.integers(1, 4))
def test_the_scaler_is_torchs_in_every_lane_step_by_step(lanes: list[list[bool]], interval: int):
    lanes = [outcomes[: min(map(len, lanes))] for outcomes in lanes]
    scaler = LossScaler(len(lanes), start=4.0, interval=interval)
    weight = torch.ones(len(lanes), 1, requires_grad=True)
    ours = []
    for finite in torch.tensor(lanes).T:
        weight.sum(1).backward(scaler.scale.clone())
        weight.grad[~finite] = torch.inf
        scaler.unscale_([weight])
        assert torch.equal(weight.grad.isfinite().squeeze(1), finite)
        with torch.no_grad():
            weight[finite] -= 0.125 * weight.grad[finite]
        scaler.update(finite)
        weight.grad = None
        ours.append(zip(scaler.scale.tolist(), scaler.good_steps.tolist(), weight.flatten().tolist(), strict=True))
    for lane, steps in enumerate(zip(*ours, strict=True)):
        assert list(steps) == torch_steps(lanes[lane], interval)


def test_the_scale_never_grows_out_of_the_finite_numbers():
    scaler = LossScaler(1, start=2.0**127, interval=1)
    scaler.update(torch.tensor([True]))
    assert scaler.scale.item() == 2.0**127


@pytest.mark.parametrize("lanes", [LANES, LANES[:1]], ids=["pack", "alone"])
@pytest.mark.parametrize("precision", HALVES)
def test_networks_compute_in_half_and_weights_stay_in_float32(precision: str, lanes: list, parts: Task, monkeypatch):
    seen: list[Tensor] = []
    forward = Linear.forward
    monkeypatch.setattr(Linear, "forward", lambda self, x: (seen.append(y := forward(self, x)), y)[1])
    training = Training(recipe(precision=precision, norm="layer"), lanes, parts, CPU, torch.float32)
    seen.clear()  # what an initialization looks at
    training.step(ROWS)
    assert {outputs.dtype for outputs in seen} == {HALVES[precision]}
    assert {value.dtype for value in training.stack.parameters.values()} == {torch.float32}
    assert training.state.alive.all()


@pytest.mark.parametrize("precision", HALVES)
def test_training_in_half_precision_ends_near_that_in_float32(precision: str, parts: Task, tmp_path: Path):
    """bfloat16 rounds to 3 digits, float16 to 4: the losses differ by a few of the last."""
    whole, half = (
        train(recipe(precision=each, epochs=2), LANES, parts, tmp_path / each) for each in ("fp32", precision)
    )
    for ours, theirs in zip(half, whole, strict=True):
        assert ours.final["val_loss"] == pytest.approx(theirs.final["val_loss"], rel=0.05)
        assert ours.history[0]["grad_norm"] == pytest.approx(theirs.history[0]["grad_norm"], rel=0.05)  # unscaled


@pytest.mark.parametrize("precision", HALVES)
def test_a_lane_in_half_precision_is_alike_alone_and_in_a_pack(precision: str, parts: Task):
    pack = recipe(precision=precision, epochs=1)
    together = trained_weights(pack, LANES, parts, torch.float32)
    for lane, weights in zip(LANES, together, strict=True):
        (alone,) = trained_weights(pack, [lane], parts, torch.float32)
        assert largest_difference(weights, alone) < 1e-2


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_a_lane_that_skips_a_step_stays_where_it_is_and_the_others_go_on(optimizer: str, parts: Task):
    pack = recipe(precision="fp16", optimizer=optimizer, optimizer_options={})
    training, usual = (Training(pack, LANES[:2], parts, CPU, torch.float32) for _ in range(2))
    training.stepper.scaler.scale[1] = 2.0**60  # its gradients are infinite in float16
    before = training.stack.weights()
    training.step(ROWS)
    usual.step(ROWS)
    after, theirs = training.stack.weights(), usual.stack.weights()
    state, scaler = training.state, training.stepper.scaler
    assert all(torch.equal(after[name][1], before[name][1]) for name in after)
    assert all(torch.equal(after[name][0], theirs[name][0]) for name in after)
    assert (state.skipped.tolist(), state.taken.tolist(), state.alive.all().item()) == ([0, 1], [1, 0], True)
    assert scaler.scale.tolist() == [2.0**16, 2.0**59]
    assert [len(mover.optimizer.state) > 0 for mover in training.stepper.movers] == [True, False]
    assert state.norm_sum.isfinite().all()


def test_schedules_count_optimizer_steps_and_skipped_ones_are_told(parts: Task, tmp_path: Path, monkeypatch):
    moved: list[Tensor] = []
    training = Training(recipe(precision="fp16"), LANES[1:2], parts, CPU, torch.float32)  # one_cycle
    stepper, move = training.stepper, training.stepper.move
    monkeypatch.setattr(stepper, "move", lambda rates, *rest: (moved.append(rates.clone()), move(rates, *rest)))
    training.stepper.scaler.scale[0] = 2.0**60
    training.step(ROWS)
    training.stepper.scaler.scale[0] = 1.0
    training.step(ROWS)
    training.step(ROWS)
    assert torch.equal(torch.cat(moved), training.rates[[0, 0, 1], 0])
    training.state.seconds = 1.0
    training.end_epoch()
    assert training.results()[0].skipped == 1


def test_gradients_are_clipped_after_they_are_unscaled(parts: Task):
    clip = 0.05
    lanes = [replace(LANES[0], clip=clip, schedule="constant", lr=1.0, weight_decay=0.0)]
    training = Training(recipe(precision="fp16", optimizer_options={}), lanes, parts, CPU, torch.float32)
    before = training.stack.weights()
    training.step(ROWS)
    moved = torch.cat([(value - before[name]).flatten() for name, value in training.stack.weights().items()])
    assert training.state.norm_sum.item() > clip
    assert moved.norm().item() == pytest.approx(clip, rel=1e-4)


def test_a_lane_whose_gradients_are_finite_at_no_scale_has_diverged(parts: Task):
    training = Training(recipe(precision="fp16", epochs=8), LANES[:2], parts, CPU, torch.float32)
    second = torch.tensor([1])
    for parameter in training.stack.parameters.values():
        parameter.register_hook(lambda grad: grad.index_fill(0, second, torch.inf))
    steps = 0
    while training.state.alive.all():
        training.step(ROWS)
        steps += 1
    assert training.state.alive.tolist() == [True, False]
    assert 2.0 ** (16 - steps) < LEAST_SCALE == 2.0 ** (17 - steps)
    assert training.state.diverged_step.tolist() == [-1, steps - 1]


def test_float16_on_a_cpu_is_said_to_be_slow_once(parts: Task, tmp_path: Path, capsys: pytest.CaptureFixture):
    warn_if_slow.cache_clear()
    for name in ("first", "second"):
        train(recipe(precision="fp16", epochs=1), LANES[:1], parts, tmp_path / name)
    assert capsys.readouterr().err.count("float16 on a CPU is many times slower") == 1


@pytest.mark.parametrize("computes", [True, False])
def test_bfloat16_is_said_to_be_slow_where_the_processor_lacks_it(
    computes: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr("phase2.train.precision.computes_in_bfloat16", lambda: computes)
    warn_if_slow.cache_clear()
    warn_if_slow("bf16", "cpu")
    warn_if_slow("bf16", "cuda")
    warn_if_slow("fp32", "cpu")
    assert capsys.readouterr().err.count("does not compute in bfloat16") == (0 if computes else 1)


def test_half_precision_repeats_to_the_bit(parts: Task, tmp_path: Path):
    first, again = (train(recipe(precision="bf16"), LANES, parts, tmp_path / name) for name in ("first", "again"))
    assert summary(first) == summary(again)
