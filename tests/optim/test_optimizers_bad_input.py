"""What optimizers refuse, in torch's words where torch has any."""

import pytest
import torch
from descent import NAMES, both, parameters

import phase2.optim as ours
from phase2.errors import UserError

pytestmark = pytest.mark.quick

BAD = [
    *[(name, option) for name in NAMES for option in ({"lr": -1.0}, {"weight_decay": -1.0})],
    *[(name, {"eps": -1.0}) for name in NAMES if name != "SGD"],
    *[(name, {"momentum": -1.0}) for name in ("SGD", "RMSprop")],
    ("SGD", {"nesterov": True}),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
    ("RMSprop", {"alpha": -1.0}),
    ("Adagrad", {"lr_decay": -1.0}),
    ("Adagrad", {"initial_accumulator_value": -1.0}),
    *[(name, {"betas": betas}) for name in ("Adam", "AdamW") for betas in ((1.0, 0.9), (0.9, -0.1), (-0.1, 0.9))],
]


@pytest.mark.parametrize(("name", "options"), BAD)
def test_options_out_of_range_get_torchs_messages_in_any_group(name, options):
    mine, theirs = both(name)
    with pytest.raises(ValueError, match=r"Invalid|Nesterov") as expected:
        theirs(parameters(), **options)
    for groups in (lambda: (parameters(), options), lambda: ([{"params": parameters(), **options}], {})):
        params, given = groups()
        with pytest.raises(UserError) as error:
            mine(params, **given)
        assert str(error.value) == str(expected.value)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [(name, {"lr": torch.tensor([0.1, -1.0])}, "Invalid learning rate: tensor") for name in NAMES]
    + [
        ("SGD", {"momentum": torch.tensor([0.9, -0.1])}, "Invalid momentum value: tensor"),
        ("Adam", {"betas": (torch.tensor([0.9, 1.0]), 0.99)}, "Invalid beta parameter at index 0: tensor"),
        (
            "AdamW",
            {"betas": (0.9, torch.tensor([0.9, 0.99]))},
            r"betas\[1\]=tensor.*only betas\[0\] may differ by lane",
        ),
    ],
)
def test_a_coefficient_out_of_range_in_one_lane_is_refused(name, options, message):
    with pytest.raises(UserError, match=message):
        getattr(ours, name)(parameters(2), **options)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_parameter_list_is_an_error(name):
    with pytest.raises(ValueError, match="optimizer got an empty parameter list"):
        getattr(ours, name)([])


@pytest.mark.parametrize(
    ("name", "flag"),
    [(name, "differentiable") for name in NAMES]
    + [(name, "fused") for name in NAMES if name != "RMSprop"]
    + [(name, "capturable") for name in ("RMSprop", "Adam", "AdamW")],
)
def test_flags_of_torch_that_are_not_supported_are_named(name, flag):
    Optimizer, torchs = both(name)
    message = f"{name}: {flag}=True is not supported"
    with pytest.raises(UserError, match=message):
        Optimizer(parameters(), **{flag: True})
    with pytest.raises(UserError, match=message):
        Optimizer([{"params": parameters(), flag: True}])
    state = torchs(parameters()).state_dict()
    state["param_groups"][0][flag] = True
    with pytest.raises(UserError, match=message):
        Optimizer(parameters()).load_state_dict(state)


@pytest.mark.parametrize("name", NAMES)
def test_sparse_and_complex_gradients_are_refused(name):
    sparse = torch.nn.Parameter(torch.zeros(3, 2))
    sparse.grad = torch.ones(3, 2).to_sparse()
    complex_ = torch.nn.Parameter(torch.zeros(3, dtype=torch.complex64))
    complex_.grad = torch.ones(3, dtype=torch.complex64)
    for param, kind in ((sparse, "sparse"), (complex_, "complex")):
        with pytest.raises(UserError, match=f"{name} does not support {kind} gradients"):
            getattr(ours, name)([param]).step()
        assert param.eq(0).all()
