"""What optimizers keep: state dicts that load both ways with torch, checkpoints, copies."""

import copy
import subprocess
import sys

import pytest
import torch
from descent import CASES, RICH, assert_close, both, descend, parameters

import phase2.optim as ours

rich_cases = pytest.mark.parametrize(("name", "flags"), RICH)


@pytest.mark.parametrize(("name", "flags"), CASES)
def test_state_dicts_load_both_ways_with_torch(name, flags):
    straight = parameters()
    expected = descend(both(name)[1](straight, lr=0.02, **flags), straight, 10)[5:]
    for Before, After in (both(name), both(name)[::-1]):
        params = parameters()
        before = Before(params, lr=0.02, **flags)
        descend(before, params, 5)
        after = After(params, lr=99.0)
        after.load_state_dict(before.state_dict())
        assert_close(descend(after, params, 5, first=5), expected)


@rich_cases
def test_states_have_torchs_names_shapes_and_types(name, flags):
    states = []
    for Optimizer in both(name):
        params = parameters()
        optimizer = Optimizer(params, **flags)
        descend(optimizer, params, 2)
        states.append([{k: (v.shape, v.dtype) for k, v in optimizer.state[p].items()} for p in params])
    assert states[0] == states[1]


@rich_cases
def test_a_state_dict_from_before_a_torch_had_all_options_is_completed(name, flags):
    params = parameters()
    optimizer = getattr(ours, name)(params, lr=0.02, **flags)
    state = optimizer.state_dict()
    for option in ("foreach", "maximize"):
        del state["param_groups"][0][option]
    optimizer.load_state_dict(state)
    assert (optimizer.param_groups[0]["foreach"], optimizer.param_groups[0]["maximize"]) == (None, False)
    descend(optimizer, params, 1)


def test_adam_and_adamw_load_each_other_as_in_torch():
    """Adam goes on as the AdamW it is given; AdamW stays itself."""
    for given, taker in (("AdamW", "Adam"), ("Adam", "AdamW")):
        traces = []
        for library in (ours, torch.optim):
            params = parameters()
            before = getattr(library, given)(params, lr=0.02, weight_decay=0.3)
            descend(before, params, 3)
            after = getattr(library, taker)(params)
            after.load_state_dict(before.state_dict())
            assert after.param_groups[0]["decoupled_weight_decay"]
            traces.append(descend(after, params, 5, first=3))
        assert_close(*traces)


@rich_cases
def test_checkpoint_resumes_with_the_same_bits(name, flags, tmp_path):
    params = parameters()
    optimizer = getattr(ours, name)(params, lr=torch.tensor(0.02), **flags)
    descend(optimizer, params, 10)
    torch.save({"params": params, "optimizer": optimizer.state_dict()}, tmp_path / "checkpoint.pt")
    expected = descend(optimizer, params, 10, first=10)
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    resumed = getattr(ours, name)(saved["params"])
    resumed.load_state_dict(saved["optimizer"])
    assert torch.equal(descend(resumed, saved["params"], 10, first=10), expected)


@rich_cases
def test_a_copied_optimizer_goes_on_with_the_same_bits(name, flags):
    params = parameters()
    optimizer = getattr(ours, name)(params, lr=0.02, **flags)
    descend(optimizer, params, 3)
    other = copy.deepcopy(optimizer)
    copied = other.param_groups[0]["params"]
    assert torch.equal(descend(other, copied, 3, first=3), descend(optimizer, params, 3, first=3))


def test_training_does_not_import_torchs_compiler():
    """It takes a second, and torch's own optimizers import it as soon as one is made."""
    code = """
import sys, torch
from phase2.optim import SGD, Adagrad, Adam, AdamW, RMSprop
for optimizer in (SGD, Adagrad, Adam, AdamW, RMSprop):
    w = torch.ones(3, requires_grad=True)
    made = optimizer([w], lr=0.1)
    w.sum().backward()
    made.step()
    made.zero_grad()
    assert w.grad is None
print("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
