"""Every optimizer against torch's, step for step, with parameters updated together and alone."""

from functools import cache

import pytest
import torch
from descent import CASES, NAMES, RICH, assert_close, both, descend, parameters, set_gradients
from hypothesis import given, settings
from hypothesis import strategies as st

import phase2.optim as ours
from phase2 import registry
from phase2.optim import base

rich_cases = pytest.mark.parametrize(("name", "flags"), RICH)
every_way = pytest.mark.parametrize("foreach", [True, False, None])


@pytest.mark.parametrize(("name", "flags"), CASES)
def test_200_steps_match_torch_for_every_flag_and_pair_of_flags(name, flags):
    mine, theirs = both(name)
    expected = descend(theirs(params := parameters(), lr=0.02, **flags), params)
    for foreach in (True, False):
        params = parameters()
        assert_close(descend(mine(params, lr=0.02, foreach=foreach, **flags), params), expected)


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_torchs(name):
    mine, theirs = (Optimizer(parameters()) for Optimizer in both(name))
    flags = {"fused", "capturable", "differentiable"}
    assert mine.defaults == {key: value for key, value in theirs.defaults.items() if key not in flags}


@pytest.mark.parametrize("name", NAMES)
def test_positional_arguments_come_in_torchs_order(name):
    arguments = {
        "SGD": (0.1, 0.9, 0, 0.02, True),
        "RMSprop": (0.1, 0.9, 1e-3, 0.02, 0.5, True, False, True, True),
        "Adagrad": (0.1, 0.2, 0.02, 0.3, 1e-3, True),
    }.get(name, (0.1, (0.8, 0.9), 1e-3, 0.02, True))
    mine, theirs = (Optimizer(parameters(), *arguments) for Optimizer in both(name))
    assert mine.defaults == {key: theirs.defaults[key] for key in mine.defaults}


@rich_cases
@every_way
def test_parameter_groups_match_torch(name, flags, foreach):
    traces = []
    for Optimizer in both(name):
        params = parameters()
        optimizer = Optimizer([{"params": params[:1], "lr": 0.1}], lr=0.01, **flags, foreach=foreach)
        optimizer.add_param_group({"params": params[1:]})
        optimizer.param_groups[1]["weight_decay"] = 0.3
        traces.append(descend(optimizer, params, 50))
    assert_close(*traces)


@rich_cases
@every_way
def test_parameters_without_a_gradient_stay_as_torch_leaves_them(name, flags, foreach):
    """Afterwards the parameters have taken different numbers of steps, and still go on as in torch."""
    traces = []
    for Optimizer in both(name):
        params = parameters()
        optimizer = Optimizer(params, lr=0.1, foreach=foreach, **flags)
        for step in range(20):
            set_gradients(params, step)
            params[step % 3].grad = None
            optimizer.step()
        traces.append(descend(optimizer, params, 5, first=20))
    assert_close(*traces)


@rich_cases
def test_closure_is_run_with_gradients_and_its_loss_returned(name, flags):
    traces = []
    for Optimizer in both(name):
        params = parameters()
        optimizer = Optimizer(params, lr=0.1, **flags)

        def closure(optimizer=optimizer, params=params):
            optimizer.zero_grad()
            loss = sum(p.pow(2).sum() for p in params)
            loss.backward()
            return loss

        traces.append([optimizer.step(closure).item() for _ in range(20)])
    assert_close(*traces)
    assert traces[0][-1] < traces[0][0]


def test_adam_with_decoupled_decay_is_adamw():
    first, second, third = parameters(), parameters(), parameters()
    options = {"lr": 0.1, "weight_decay": 0.3}
    trace = descend(ours.AdamW(first, **options), first, 20)
    assert torch.equal(descend(ours.Adam(second, decoupled_weight_decay=True, **options), second, 20), trace)
    assert not torch.allclose(descend(ours.Adam(third, **options), third, 20), trace)


@given(st.sampled_from(RICH), st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=6))
@settings(max_examples=25, deadline=None)
def test_together_or_alone_gives_the_same_bits(case, present):
    """Whichever parameters have gradients at each step."""
    (name, flags), ends = case, []
    for foreach in (True, False):
        params = parameters()
        optimizer = getattr(ours, name)(params, lr=0.1, foreach=foreach, **flags)
        for step, mask in enumerate(present):
            set_gradients(params, step)
            for p, keep in zip(params, mask, strict=True):
                p.grad = p.grad if keep else None
            optimizer.step()
        ends.append(params)
    assert all(torch.equal(p, q) for p, q in zip(*ends, strict=True))


@pytest.mark.parametrize(
    ("foreach", "together"),
    [(True, [3]), (False, [1, 1, 1]), (None, [2, 1])],
)
def test_by_default_parameters_go_together_unless_they_are_large(foreach, together, monkeypatch):
    monkeypatch.setattr(base, "LARGE", 12)  # the elements of the first parameter
    sizes = []

    class Spy(ours.SGD):
        def update(self, params, grads, states, group):
            sizes.append(len(params))

    params = parameters()
    set_gradients(params, 0)
    Spy(params, foreach=foreach).step()
    assert sorted(sizes, reverse=True) == together


def test_parameters_of_two_dtypes_take_their_steps():
    params = [
        torch.nn.Parameter(p.detach().to(dtype)) for p in parameters() for dtype in (torch.float32, torch.float64)
    ]
    optimizer = ours.Adam(params, lr=0.1, foreach=True)
    for p in params:
        p.grad = torch.ones_like(p)
    optimizer.step()
    for single, double in zip(params[::2], params[1::2], strict=True):
        assert single.dtype == torch.float32
        torch.testing.assert_close(single, double.float())


@rich_cases
def test_gradients_are_left_as_they_were(name, flags):
    params = parameters()
    optimizer = getattr(ours, name)(params, lr=0.02, **flags)
    for step in range(3):
        set_gradients(params, step)
        before = [p.grad.clone() for p in params]
        optimizer.step()
        assert all(torch.equal(p.grad, grad) for p, grad in zip(params, before, strict=True))


@rich_cases
def test_torchs_schedulers_drive_the_learning_rate(name, flags):
    optimizer = getattr(ours, name)(parameters(), lr=0.2, **flags)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] == 0.1


@cache
def preset_end(name, **options):
    params = parameters()
    return descend(registry.load("optimizer", name)(params, lr=0.05, **options), params, 10)


def test_momentum_and_nesterov_are_sgd_at_their_usual_setting():
    assert torch.equal(preset_end("momentum"), preset_end("sgd", momentum=0.9))
    assert torch.equal(preset_end("nesterov"), preset_end("sgd", momentum=0.9, nesterov=True))
    assert torch.equal(preset_end("momentum", momentum=0.5), preset_end("sgd", momentum=0.5))
    assert torch.equal(preset_end("nesterov", momentum=0.5), preset_end("sgd", momentum=0.5, nesterov=True))
    assert isinstance(ours.nesterov(parameters()), ours.SGD)


def test_every_registered_optimizer_is_built_by_name():
    for name in registry.names("optimizer"):
        assert registry.load("optimizer", name)(parameters(), lr=0.1).param_groups[0]["lr"] == 0.1
