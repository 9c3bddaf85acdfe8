"""SGD and Adam against torch's, step for step; and with a learning rate and decay for each lane."""

import copy
import subprocess
import sys
from itertools import product

import pytest
import torch
from descent import descend, parameters, set_gradients

import phase2.optim as ours
from phase2 import registry
from phase2.errors import UserError

SGD_FLAGS = [
    {"momentum": m, "dampening": d, "weight_decay": w, "nesterov": n, "maximize": x}
    for m, d, w, n, x in product((0, 0.9), (0, 0.3), (0, 0.05), (False, True), (False, True))
    if not n or (m and not d)
]
ADAM_FLAGS = [
    {"betas": b, "eps": e, "weight_decay": w, "amsgrad": a, "maximize": x}
    for b, e, w, a, x in product(((0.9, 0.999), (0.0, 0.5)), (1e-8, 0.1), (0, 0.05), (False, True), (False, True))
]
CASES = [("SGD", flags) for flags in SGD_FLAGS] + [("Adam", flags) for flags in ADAM_FLAGS]
RICH = [
    ("SGD", {"momentum": 0.9, "weight_decay": 0.05, "nesterov": True}),
    ("Adam", {"weight_decay": 0.05, "amsgrad": True}),
]
every_case = pytest.mark.parametrize(("name", "flags"), CASES)
rich_cases = pytest.mark.parametrize(("name", "flags"), RICH)


def both(name):
    return getattr(ours, name), getattr(torch.optim, name)


def assert_close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-12, atol=1e-12)


@every_case
def test_200_steps_match_torch_for_every_flag(name, flags):
    traces = []
    for Optimizer in both(name):
        params = parameters()
        traces.append(descend(Optimizer(params, lr=0.02, **flags), params))
    assert_close(*traces)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_defaults_and_signature_are_torchs(name):
    mine, theirs = (Optimizer(parameters()) for Optimizer in both(name))
    flags = {"foreach", "fused", "capturable", "differentiable", "decoupled_weight_decay"}
    assert mine.defaults == {key: value for key, value in theirs.defaults.items() if key not in flags}


@rich_cases
def test_parameter_groups_match_torch(name, flags):
    traces = []
    for Optimizer in both(name):
        params = parameters()
        optimizer = Optimizer([{"params": params[:1], "lr": 0.1}, {"params": params[1:]}], lr=0.01, **flags)
        optimizer.param_groups[1]["weight_decay"] = 0.3
        traces.append(descend(optimizer, params, 50))
    assert_close(*traces)


@rich_cases
def test_parameters_without_a_gradient_stay_as_torch_leaves_them(name, flags):
    traces = []
    for Optimizer in both(name):
        params = parameters()
        optimizer = Optimizer(params, lr=0.1, **flags)
        for step in range(20):
            set_gradients(params, step)
            params[step % 3].grad = None
            optimizer.step()
        traces.append([p.detach() for p in params])
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


@every_case
def test_state_dicts_load_both_ways_with_torch(name, flags):
    for Before, After in (both(name), both(name)[::-1]):
        straight, switched = parameters(), parameters()
        optimizer = Before(straight, lr=0.02, **flags)
        descend(optimizer, straight, 10)
        before = Before(switched, lr=0.02, **flags)
        descend(before, switched, 10)
        after = After(switched, lr=99.0)
        after.load_state_dict(before.state_dict())
        assert_close(descend(after, switched, 10, first=10), descend(optimizer, straight, 10, first=10))


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
    for actual, wanted in zip(descend(resumed, saved["params"], 10, first=10), expected, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(actual, wanted, strict=True))


@rich_cases
def test_a_copied_optimizer_keeps_its_state(name, flags):
    params = parameters()
    optimizer = getattr(ours, name)(params, lr=0.02, **flags)
    descend(optimizer, params, 3)
    assert_close(copy.deepcopy(optimizer).state_dict(), optimizer.state_dict())


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


@every_case
def test_each_lane_equals_its_own_run(name, flags):
    lanes = 3
    lr = torch.tensor([0.02, 0.0, 0.1])  # float32: the optimizer brings it to the parameters' dtype
    decay = torch.tensor([0.0, 0.05, 0.3])
    stacked = parameters(lanes)
    start = [p.detach().clone() for p in stacked]
    optimizer = getattr(ours, name)(stacked, lr=lr, **{**flags, "weight_decay": decay})
    gradients = []
    for step in range(20):
        set_gradients(stacked, step)
        gradients.append([p.grad for p in stacked])
        optimizer.step()
    for lane in range(lanes):
        alone = [torch.nn.Parameter(p[lane].clone()) for p in start]
        options = {**flags, "weight_decay": decay[lane].item()}
        solo = getattr(torch.optim, name)(alone, lr=lr[lane].item(), **options)
        for grads in gradients:
            for p, grad in zip(alone, grads, strict=True):
                p.grad = grad[lane].clone()
            solo.step()
        assert_close([p[lane] for p in stacked], alone)


@rich_cases
def test_a_nan_lane_leaves_the_others_alone(name, flags):
    clean, poisoned = parameters(3), parameters(3)
    for params in (clean, poisoned):
        optimizer = getattr(ours, name)(params, lr=torch.full((3,), 0.1), **flags)
        for step in range(5):
            set_gradients(params, step)
            if params is poisoned:
                for p in params:
                    p.grad[1] = torch.nan
            optimizer.step()
    for a, b in zip(clean, poisoned, strict=True):
        assert torch.equal(a[[0, 2]], b[[0, 2]])
        assert b[1].isnan().all()


@rich_cases
def test_a_wrong_number_of_lanes_is_named(name, flags):
    params = parameters(3)
    optimizer = getattr(ours, name)(params, lr=torch.full((2,), 0.1), **flags)
    set_gradients(params, 0)
    with pytest.raises(UserError, match=r"coefficient of shape \(2,\) for parameters of shape \(3, 4, 3\)"):
        optimizer.step()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [(name, {"lr": -1.0}, "Invalid learning rate: -1.0") for name in ("SGD", "Adam")]
    + [(name, {"lr": torch.tensor([0.1, -1.0])}, "Invalid learning rate: tensor") for name in ("SGD", "Adam")]
    + [(name, {"weight_decay": -1.0}, "Invalid weight_decay value: -1.0") for name in ("SGD", "Adam")]
    + [
        ("SGD", {"momentum": -1.0}, "Invalid momentum value: -1.0"),
        ("SGD", {"nesterov": True}, "Nesterov momentum requires a momentum and zero dampening"),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "Nesterov momentum requires"),
        ("Adam", {"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
        ("Adam", {"betas": (0.9, -0.1)}, "Invalid beta parameter at index 1: -0.1"),
        ("Adam", {"eps": -1.0}, "Invalid epsilon value: -1.0"),
    ],
)
def test_options_out_of_range_get_torchs_messages_in_any_group(name, options, message):
    Optimizer = getattr(ours, name)
    with pytest.raises(UserError, match=message):
        Optimizer(parameters(), **options)
    with pytest.raises(UserError, match=message):
        Optimizer([{"params": parameters(), **options}])


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_an_empty_parameter_list_is_an_error(name):
    with pytest.raises(ValueError, match="optimizer got an empty parameter list"):
        getattr(ours, name)([])


@pytest.mark.parametrize(
    ("name", "flag"),
    [(name, flag) for name in ("SGD", "Adam") for flag in ("foreach", "fused", "differentiable")]
    + [("Adam", "capturable"), ("Adam", "decoupled_weight_decay")],
)
def test_flags_of_torch_that_are_not_supported_are_named(name, flag):
    Optimizer = getattr(ours, name)
    for params in (parameters(), [{"params": parameters(), flag: True}]):
        with pytest.raises(UserError, match=f"{name}: {flag}=True is not supported"):
            Optimizer(params, **({} if isinstance(params[0], dict) else {flag: True}))


def test_a_state_dict_of_adamw_is_refused_by_adam():
    """Its decay is decoupled; loading it would go on with another algorithm."""
    state = torch.optim.AdamW(parameters()).state_dict()
    with pytest.raises(UserError, match="decoupled_weight_decay=True is not supported"):
        ours.Adam(parameters()).load_state_dict(state)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_sparse_and_complex_gradients_are_refused(name):
    sparse = torch.nn.Parameter(torch.zeros(3, 2))
    sparse.grad = torch.ones(3, 2).to_sparse()
    complex_ = torch.nn.Parameter(torch.zeros(3, dtype=torch.complex64))
    complex_.grad = torch.ones(3, dtype=torch.complex64)
    for param in (sparse, complex_):
        with pytest.raises(UserError, match="does not support sparse or complex gradients"):
            getattr(ours, name)([param]).step()


def test_every_registered_optimizer_is_built_by_name():
    for name in registry.names("optimizer"):
        assert registry.load("optimizer", name)(parameters(), lr=0.1).param_groups[0]["lr"] == 0.1


def test_training_does_not_import_torchs_compiler():
    """It takes a second, and torch's own optimizers import it as soon as one is made."""
    code = """
import sys, torch
from phase2.optim import SGD, Adam
for optimizer in (SGD, Adam):
    w = torch.ones(3, requires_grad=True)
    made = optimizer([w], lr=0.1)
    w.sum().backward()
    made.step()
    made.zero_grad()
    assert w.grad is None
print("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
