"""The empirical kernel in both ways against a plain loop of gradients, its memory, and the linearized network."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call

from phase2.errors import UserError
from phase2.models import MLP
from phase2.models.ntk_mlp import NTKMLP
from phase2.probe.kernel_regime import ntk
from phase2.probe.kernel_regime.ntk import empirical_ntk, linearize

METHODS = ["jacobian", "vector_products"]


def conv_net():
    return nn.Sequential(nn.Conv2d(1, 2, 2), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4, 3))


NETWORKS = {
    "relu": lambda: MLP(20, 3, width=7, depth=2, activation="relu"),
    "gelu": lambda: MLP(20, 3, width=7, depth=2, activation="gelu"),
    "tanh": lambda: MLP(20, 3, width=7, depth=2, activation="tanh"),
    "ntk_relu": lambda: NTKMLP(20, 3, width=7, depth=2, activation="relu"),
    "ntk_erf": lambda: NTKMLP(20, 1, width=7, depth=2, activation="erf"),
    "conv": conv_net,
}


def network(name="gelu"):
    torch.manual_seed(0)
    return NETWORKS[name]().double()


def images(rows, seed=0):
    return torch.randn(rows, 1, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def by_loop(model, x1, x2):
    """(n1, n2, outputs, outputs): one gradient at a time."""

    def gradients(x):
        rows = []
        for sample in x:
            for output in model(sample[None])[0]:
                grads = torch.autograd.grad(output, list(model.parameters()), retain_graph=True)
                rows.append(torch.cat([g.flatten() for g in grads]))
        return torch.stack(rows).unflatten(0, (len(x), -1))

    return torch.einsum("iap,jbp->ijab", gradients(x1), gradients(x2))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", NETWORKS)
def test_both_ways_are_the_loop_of_gradients(name, method):
    model, x1, x2 = network(name), images(5), images(4, seed=1)
    expected = by_loop(model, x1, x2)
    torch.testing.assert_close(empirical_ntk(model, x1, x2, method, full=True), expected, rtol=0, atol=1e-10)
    average = expected.diagonal(dim1=2, dim2=3).mean(2)
    torch.testing.assert_close(empirical_ntk(model, x1, x2, method), average, rtol=0, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("full", [False, True])
def test_the_kernel_of_x_with_itself_is_that_of_x_with_a_copy(method, full):
    model, x = network(), images(6)
    alone, copy = empirical_ntk(model, x, None, method, full=full), empirical_ntk(model, x, x, method, full=full)
    torch.testing.assert_close(alone, copy, rtol=0, atol=1e-12)
    torch.testing.assert_close(alone, alone.permute(1, 0, 3, 2) if full else alone.mT, rtol=0, atol=0)


@settings(max_examples=10, deadline=None)
@given(
    method=st.sampled_from(METHODS),
    full=st.booleans(),
    symmetric=st.booleans(),
    share=st.floats(0, 1),
)
def test_batches_of_any_size_give_the_same_kernel(method, full, symmetric, share):
    model, x1, x2 = network(), images(3), None if symmetric else images(2, seed=1)
    job = ntk._Job(ntk._Network.of(model, x1), x1, x1 if symmetric else x2, symmetric, full)
    smallest = ntk.WAYS[method](job, 0).smallest / ntk.MB
    tight = smallest + share * 0.05
    expected = empirical_ntk(model, x1, x2, method, full=full)
    torch.testing.assert_close(empirical_ntk(model, x1, x2, method, tight, full), expected, rtol=0, atol=1e-12)


def test_parameters_that_do_not_train_are_left_out():
    model, x = network(), images(4)
    for p in model.layers[0].parameters():
        p.requires_grad_(False)
    kept = nn.Sequential(*model.layers[1:])
    expected = empirical_ntk(kept, model.layers[0](x.flatten(1)))
    torch.testing.assert_close(empirical_ntk(model, x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("full", "outputs", "chosen"), [(False, 8, 0), (True, 1, 0), (True, 8, 1)])
def test_auto_takes_jacobians_unless_a_full_kernel_of_many_outputs_is_asked(full, outputs, chosen, monkeypatch):
    model, x, took = MLP(20, outputs, width=30, depth=2), images(40).float(), []
    for name, way in ntk.WAYS.items():
        monkeypatch.setattr(way, "blocks", lambda self, name=name: took.append(name) or iter(()))
    empirical_ntk(model, x, full=full)
    assert took == [METHODS[chosen]]


def test_auto_takes_jacobians_where_weights_are_shared():
    model, x = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4 * 14 * 14, 3)), torch.zeros(30, 1, 16, 16)
    job = ntk._Job(ntk._Network.of(model, x), x, x, True, True)
    jacobian, products = (way(job, 500 * ntk.MB).cost for way in ntk.WAYS.values())
    assert job.network.F == 2 * 14 * 14 * (9 * 4 + 4 * 3)
    assert jacobian < products


def test_auto_takes_what_fits_when_the_cheaper_way_does_not():
    model, x = MLP(64, 50, width=64, depth=2), torch.randn(4, 64)
    with pytest.raises(UserError, match="memory_mb=2"):
        empirical_ntk(model, x, method="jacobian", memory_mb=2)
    torch.testing.assert_close(empirical_ntk(model, x, memory_mb=2), empirical_ntk(model, x), rtol=1e-5, atol=0)


def test_a_kernel_beyond_the_budget_names_the_estimate_and_the_budget():
    with pytest.raises(
        UserError, match=r"4 x 4 samples .* 12490 parameters and 10 outputs needs 0\.\d+ MB .* memory_mb=0.1"
    ):
        empirical_ntk(MLP(64, 10, width=80, depth=2), torch.zeros(4, 64), memory_mb=0.1)
    with pytest.raises(UserError, match="needs 8e"):
        empirical_ntk(MLP(64, 10, width=8, depth=1), torch.zeros(1, 64).expand(10**6, 64))


def test_an_unknown_method_gets_the_nearest_name():
    with pytest.raises(UserError, match="unknown method of empirical_ntk 'jacobians': did you mean 'jacobian'"):
        empirical_ntk(network(), images(2), method="jacobians")


@pytest.mark.parametrize("name", ["gelu", "relu", "ntk_erf", "conv"])
def test_the_linearization_is_the_tangent_at_the_start(name):
    model, x = network(name), images(3)
    f_lin, start = linearize(model), {n: p.detach().clone() for n, p in model.named_parameters()}
    change = {n: torch.randn_like(p) for n, p in start.items()}
    here = model(x).detach()
    h = 1e-6
    moved = [functional_call(model, {n: p + s * h * change[n] for n, p in start.items()}, (x,)) for s in (1, -1)]
    slope = (moved[0] - moved[1]).detach() / (2 * h)
    torch.testing.assert_close(f_lin(change, x), here + slope, rtol=1e-7, atol=1e-7)
    with torch.no_grad():
        next(model.parameters()).mul_(2)  # the tangent stays where it was taken
    torch.testing.assert_close(f_lin({n: torch.zeros_like(p) for n, p in start.items()}, x), here)


def test_the_linearization_is_differentiable_by_the_change():
    model, x = network(), images(3)
    change = {n: torch.zeros_like(p).requires_grad_() for n, p in model.named_parameters()}
    by_change = torch.autograd.grad(linearize(model)(change, x).square().sum(), list(change.values()))
    by_weights = torch.autograd.grad(model(x).square().sum(), list(model.parameters()))
    torch.testing.assert_close(by_change, by_weights, rtol=1e-12, atol=1e-12)
