"""The MLP against the same network from torch.nn, and as a stack of lanes."""

import pytest
import torch
from torch.func import functional_call, stack_module_state, vmap

from phase2 import registry
from phase2.errors import UserError
from phase2.models import MLP
from phase2.nn import cross_entropy


class SigmoidGELU(torch.nn.Module):
    """Hendrycks & Gimpel 2016, section 2, by torch's operations and gradients."""

    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


TORCH = {
    "relu": torch.nn.ReLU,
    "leaky_relu": torch.nn.LeakyReLU,
    "prelu": torch.nn.PReLU,
    "elu": torch.nn.ELU,
    "selu": torch.nn.SELU,
    "gelu": torch.nn.GELU,
    "gelu_tanh": lambda: torch.nn.GELU("tanh"),
    "gelu_sigmoid": SigmoidGELU,
    "mish": torch.nn.Mish,
    "softplus": torch.nn.Softplus,
    "silu": torch.nn.SiLU,
    "tanh": torch.nn.Tanh,
    "sigmoid": torch.nn.Sigmoid,
}


def problem(rows=9):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 2, 5, dtype=torch.float64, generator=generator)
    return x, torch.randint(4, (rows,), generator=generator)


@pytest.mark.parametrize("activation", registry.names("activation"))
def test_mlp_matches_the_same_network_from_torch(activation):
    model = MLP(10, 4, width=8, depth=2, activation=activation).double()
    theirs = torch.nn.Sequential(
        torch.nn.Linear(10, 8),
        TORCH[activation](),
        torch.nn.Linear(8, 8),
        TORCH[activation](),
        torch.nn.Linear(8, 4),
    ).double()
    theirs.load_state_dict(model.layers.state_dict())
    x, targets = problem()
    loss, expected = (
        cross_entropy(model(x), targets),
        torch.nn.functional.cross_entropy(theirs(x.flatten(1)), targets),
    )
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=1e-12)
    for p, q in zip(model.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", registry.names("activation"))
def test_a_stack_of_lanes_gives_the_loss_and_gradients_of_each_alone(activation):
    models = [MLP(10, 4, width=8, depth=3, activation=activation).double() for _ in range(5)]
    parameters, _ = stack_module_state(models)
    x, targets = problem()

    def loss(p, x):
        return cross_entropy(functional_call(models[0], p, (x,)), targets)

    losses = vmap(loss, in_dims=(0, None))(parameters, x)
    losses.sum().backward()
    for lane, model in enumerate(models):
        alone = cross_entropy(model(x), targets)
        alone.backward()
        torch.testing.assert_close(losses[lane], alone, rtol=0, atol=1e-12)
        for name, p in model.named_parameters():
            torch.testing.assert_close(parameters[name].grad[lane], p.grad, rtol=0, atol=1e-12)


def test_a_lane_does_not_depend_on_who_shares_its_pack():
    """Up to the rounding of products of another size; the lane's neighbour here is NaN throughout."""
    models = [MLP(10, 4, width=8, depth=3).double() for _ in range(3)]
    x, targets = problem()

    def gradients(models):
        parameters, _ = stack_module_state(models)
        f = vmap(lambda p: cross_entropy(functional_call(models[0], p, (x,)), targets))
        f(parameters).sum().backward()
        return [p.grad[0] for p in parameters.values()]

    with torch.no_grad():
        models[1].layers[0].weight.fill_(torch.nan)
    torch.testing.assert_close(gradients(models), gradients(models[:1]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 6])
def test_depth_counts_hidden_layers_and_width_their_units(depth):
    model = MLP(64, 10, width=32, depth=depth)
    weights = [tuple(p.shape) for p in model.parameters() if p.ndim == 2]
    assert weights == [(32, 64)] + [(32, 32)] * (depth - 1) + [(10, 32)]


def test_defaults_are_six_relu_layers_of_64_units():
    assert sum(p.numel() for p in MLP(64, 10).parameters()) == 6 * (64 * 64 + 64) + 64 * 10 + 10


@pytest.mark.parametrize("name", ["in_features", "out_features", "width", "depth"])
def test_sizes_below_one_are_named(name):
    sizes = {"in_features": 3, "out_features": 2, "width": 4, "depth": 1, name: 0}
    with pytest.raises(UserError, match=f"MLP: {name}=0, expected at least 1"):
        MLP(**sizes)


def test_an_unknown_activation_gets_the_nearest_name():
    with pytest.raises(UserError, match="unknown activation 'rleu': did you mean 'relu'"):
        MLP(3, 2, activation="rleu")


def test_input_of_another_size_is_named():
    with pytest.raises(UserError, match=r"input has shape \(4, 6\), expected \(\*, 10\)"):
        MLP(10, 2)(torch.zeros(4, 2, 3))
