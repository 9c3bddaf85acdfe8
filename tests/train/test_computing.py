"""Layout and compilation change how a network is computed, and nothing that it learns."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from packs import CPU, LANES, largest_difference, recipe, summary, train, trained_weights

from phase2.task.task import Task
from phase2.train import lanes as lanes_module
from phase2.train.loop import Training

NETWORK = replace(recipe(model="lenet", epochs=1), model_options={"norm": "batch"})


@pytest.fixture
def quick_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that torch.compile does but for generating machine code, which takes a minute."""
    monkeypatch.setattr(lanes_module.torch, "compile", partial(torch.compile, backend="aot_eager"))


@pytest.mark.parametrize("backend", ["scratch", "fused"])
def test_channels_last_trains_as_channels_first_does(backend: str, parts: Task):
    network = replace(NETWORK, model_options={"norm": "batch", "backend": backend})
    first = trained_weights(network, LANES[:2], parts)
    last = trained_weights(replace(network, channels_last=True), LANES[:2], parts)
    for ours, theirs in zip(last, first, strict=True):
        assert largest_difference(ours, theirs) < 1e-12


def test_channels_last_kernels_of_every_lane_are_so_in_memory_and_leave_as_others_do(parts: Task, tmp_path: Path):
    training = Training(replace(NETWORK, channels_last=True), LANES[:2], parts, CPU, torch.float32)
    training.step(torch.arange(32))
    kernels = [value for value in training.stack.parameters.values() if value.dim() == 5]
    assert len(kernels) == 2
    assert all(each.is_contiguous(memory_format=torch.channels_last) for kernel in kernels for each in kernel)
    assert all(value.is_contiguous() for value in training.stack.weights().values())
    (result, _) = train(replace(NETWORK, channels_last=True), LANES[:2], parts, tmp_path, keep_epochs=[1])
    assert result.weights["epoch=01"].keys() == result.weights["best"].keys()


def test_channels_last_changes_nothing_of_a_network_without_kernels(parts: Task, tmp_path: Path):
    plain, other = (train(recipe(channels_last=each), LANES, parts, tmp_path / str(each)) for each in (False, True))
    assert summary(plain) == summary(other)


@pytest.mark.parametrize("network", [recipe(norm="batch", epochs=1), NETWORK], ids=["mlp", "lenet"])
def test_compiled_networks_train_as_others_do_under_the_same_names(network, parts: Task, quick_compiler: None):
    plain = trained_weights(network, LANES[:2], parts)
    compiled = trained_weights(replace(network, compile=True), LANES[:2], parts)
    for ours, theirs in zip(compiled, plain, strict=True):
        assert list(ours) == list(theirs)
        assert largest_difference(ours, theirs) < 1e-10
