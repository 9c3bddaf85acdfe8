"""Parameter groups: what is decayed, and at which rate biases move."""

from dataclasses import replace

import pytest
import torch
from packs import CPU, LANES, largest_difference, recipe, trained_weights, training_order
from torch import nn

from phase2 import registry
from phase2.errors import UserError
from phase2.nn.normalization.normalize import Norm
from phase2.task.task import Task
from phase2.train.groups import groups_of, is_bias, weight_names
from phase2.train.loop import Training
from phase2.train.recipe import Lane

FAST = [replace(lane, bias_lr=factor) for lane, factor in zip(LANES, (1.0, 8.0, 0.25), strict=True)]


def test_all_parameters_are_one_group_unless_something_sets_them_apart(parts: Task):
    training = Training(recipe(norm="batch"), LANES, parts, CPU, torch.float64)
    (group,) = training.stepper.movers[0].optimizer.param_groups
    assert all(ours is theirs for ours, theirs in zip(group["params"], training.stack.parameters.values(), strict=True))


@pytest.mark.parametrize("name", registry.names("model"))
def test_weights_are_what_neither_norms_nor_biases_hold(name: str):
    model = registry.load("model", name)((3, 32, 32), 10)
    weights = weight_names(model)
    assert weights
    for place, module in model.named_modules():
        for own, _ in module.named_parameters(recurse=False):
            whole = f"{place}.{own}" if place else own
            if isinstance(module, Norm) or own == "bias":
                assert whole not in weights
            elif own == "weight" and isinstance(module, nn.Linear | nn.Conv2d):
                assert whole in weights


def test_norms_of_torchs_own_and_of_several_dimensions_are_not_decayed():
    model = nn.Sequential(nn.LayerNorm((4, 4)), nn.Flatten(), nn.Linear(16, 2), nn.PReLU(), nn.BatchNorm1d(2))
    assert weight_names(model) == {"2.weight"}


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("decay", ["all", "weights"])
def test_groups_train_as_torchs_groups_do(decay: str, optimizer: str, parts: Task):
    """In float64, over two epochs: a rate of the biases' own, and decay where it is asked for."""
    lane = Lane("kaiming", "constant", 0.01, 0.1, bias_lr=4.0)
    pack = recipe(norm="layer", optimizer=optimizer, optimizer_options={}, decay=decay, epochs=2)
    (ours,) = trained_weights(pack, [lane], parts)
    training = Training(pack, [lane], parts, CPU, torch.float64)
    model = training.stack.base
    model.load_state_dict({name: value[0] for name, value in training.stack.weights().items()})
    weights = weight_names(model)
    groups = [
        {
            "params": [parameter],
            "lr": 0.01 * (4.0 if is_bias(name) else 1.0),
            "weight_decay": 0.1 if decay == "all" or name in weights else 0.0,
        }
        for name, parameter in model.named_parameters()
    ]
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    theirs = kinds[optimizer](groups)
    model.train()
    for epoch in range(2):
        for rows in training_order(pack, parts, epoch).split(32):
            images, labels = parts.train.batch(rows, torch.float64)
            theirs.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()
            theirs.step()
    assert largest_difference(ours, {name: value.detach() for name, value in model.state_dict().items()}) < 1e-10


@pytest.mark.parametrize("optimizer", [{}, {"optimizer": "adamw", "optimizer_options": {}}], ids=["sgd", "adamw"])
@pytest.mark.parametrize("decay", ["all", "weights"])
def test_a_lane_is_the_same_alone_and_in_a_pack_with_other_rates_of_biases(decay: str, optimizer: dict, parts: Task):
    pack = recipe(norm="layer", decay=decay, **optimizer)
    together = trained_weights(pack, FAST, parts)
    for lane, weights in zip(FAST, together, strict=True):
        (alone,) = trained_weights(pack, [lane], parts)
        assert largest_difference(weights, alone) < 1e-10
    assert largest_difference(together[1], trained_weights(pack, LANES, parts)[1]) > 1e-3


def test_a_momentum_that_cycles_does_so_in_every_group(parts: Task):
    lane = replace(FAST[1], schedule="one_cycle_momentum")
    training = Training(recipe(decay="weights"), [lane], parts, CPU, torch.float64)
    training.step(torch.arange(32))
    groups = training.stepper.movers[0].optimizer.param_groups
    assert len(groups) == 2
    assert all(torch.equal(group["momentum"], training.momenta[0]) for group in groups)


def test_what_a_model_has_frozen_is_in_no_group_and_stays(parts: Task, monkeypatch: pytest.MonkeyPatch):
    load = registry.load

    def frozen(*arguments, **options) -> nn.Module:
        model = load("model", "mlp")(*arguments, **options)
        next(model.parameters()).requires_grad_(False)
        return model

    monkeypatch.setattr(registry, "load", lambda kind, name: frozen if kind == "model" else load(kind, name))
    training = Training(recipe(), LANES, parts, CPU, torch.float64)
    name = next(iter(training.stack.parameters))
    before = training.stack.weights()
    for _ in range(3):
        training.step(torch.arange(32))
    after = training.stack.weights()
    assert [key for key in after if torch.equal(after[key], before[key])] == [name]
    (group,) = groups_of(recipe(), LANES, training.stack.base, training.stack.parameters)
    assert len(group["params"]) == len(after) - 1


def test_an_optimizer_that_cannot_decay_is_refused(parts: Task, monkeypatch: pytest.MonkeyPatch):
    load, rprop = registry.load, torch.optim.Rprop
    monkeypatch.setattr(registry, "load", lambda kind, name: rprop if kind == "optimizer" else load(kind, name))
    with pytest.raises(UserError, match=r"the optimizer sgd refuses its options .*weight_decay"):
        Training(recipe(optimizer_options={}), LANES, parts, CPU, torch.float64)
