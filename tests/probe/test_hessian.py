"""Products with the Hessian, Lanczos and Hutchinson agree with the whole matrix, which small problems can afford."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.autograd.functional import hessian
from torch.func import functional_call

from phase2.errors import UserError
from phase2.models.mlp import MLP
from phase2.nn import cross_entropy, mse_loss
from phase2.probe.hessian import Hessian, hutchinson, lanczos, top_eigenvalues

TWINS = {
    "Linear": lambda layer: nn.Linear(layer.in_features, layer.out_features),
    **{name: lambda _, name=name: getattr(nn, name)() for name in ("ReLU", "Tanh", "GELU", "Softplus")},
}
spectra = st.lists(st.integers(-20, 20).map(float), min_size=2, max_size=9)  # whole, so that some are equal
seeds = st.integers(0, 1000)


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def vector(size, seed=0):
    return torch.randn(size, dtype=torch.float64, generator=random(seed))


def with_spectrum(values, seed=0):
    """A symmetric matrix of these eigenvalues."""
    Q, _ = torch.linalg.qr(torch.randn(len(values), len(values), dtype=torch.float64, generator=random(seed)))
    return Q @ torch.diag(torch.tensor(values, dtype=torch.float64)) @ Q.T


def problem(activation="tanh", objective=cross_entropy):
    """A network in float64, its loss, and the Hessian as a matrix: by torch, of the same network of torch's layers."""
    torch.manual_seed(0)
    model = MLP(4, 3, width=3, depth=2, activation=activation).double()
    x, labels = vector(20).reshape(5, 4), torch.tensor([0, 1, 2, 1, 0])
    targets = labels if objective is cross_entropy else torch.eye(3, dtype=torch.float64)[labels]
    twin = nn.Sequential(*(TWINS[type(layer).__name__](layer) for layer in model.layers)).double()
    twin.load_state_dict(model.layers.state_dict())
    shapes = {name: p.shape for name, p in twin.named_parameters()}

    def of_flat(flat):
        parts = flat.split([shape.numel() for shape in shapes.values()])
        parameters = {name: part.reshape(shapes[name]) for name, part in zip(shapes, parts, strict=True)}
        return getattr(nn.functional, objective.__name__)(functional_call(twin, parameters, (x,)), targets)

    flat = torch.cat([p.detach().flatten() for p in model.parameters()])
    return model, objective(model(x), targets), hessian(of_flat, flat)


@pytest.mark.parametrize("objective", [cross_entropy, mse_loss])
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "softplus"])
def test_products_match_the_whole_hessian(activation, objective):
    model, loss, matrix = problem(activation, objective)
    product = Hessian(loss, model.parameters())
    assert product.size == len(matrix)
    for column in (vector(len(matrix)), torch.eye(len(matrix), dtype=torch.float64)[7]):
        torch.testing.assert_close(product(column), matrix @ column, rtol=1e-10, atol=1e-12)


def test_gradient_is_that_of_the_loss():
    model, loss, _ = problem()
    gradients = torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)
    gradient = Hessian(loss, model.parameters()).gradient
    torch.testing.assert_close(gradient, torch.cat([g.flatten() for g in gradients]))
    assert not gradient.requires_grad


def test_parameters_that_the_loss_is_linear_in_or_free_of_have_zero_products():
    a, b, c = (vector(2, seed).requires_grad_() for seed in range(3))
    product = Hessian(a.sum() + b.square().sum(), [a, b, c])
    torch.testing.assert_close(product(torch.ones(6, dtype=torch.float64)), torch.tensor([0, 0, 2, 2, 0, 0]).double())
    assert not Hessian(a.sum(), [a])(torch.ones(2)).any()


def test_a_loss_that_is_not_a_scalar_is_an_error_that_says_what_to_do():
    x = torch.ones(3, requires_grad=True)
    with pytest.raises(UserError, match=r"the loss has shape \(3,\), expected a scalar \(\): take its mean or its sum"):
        Hessian(x * x, [x])


@given(spectra, seeds)
@settings(max_examples=30, deadline=None)
def test_lanczos_with_as_many_steps_as_rows_finds_every_eigenvalue_as_often_as_it_occurs(values, seed):
    matrix = with_spectrum(values, seed)
    found, vectors = lanczos(lambda v: matrix @ v, vector(len(values), seed + 1), len(values), random(seed))
    np.testing.assert_allclose(found, sorted(values, reverse=True), atol=1e-9)
    torch.testing.assert_close(vectors @ vectors.T, torch.eye(len(values), dtype=torch.float64), atol=1e-9, rtol=0)
    torch.testing.assert_close(vectors @ matrix, found[:, None] * vectors, atol=1e-6, rtol=0)


@given(seeds, st.integers(1, 30))
@settings(max_examples=15, deadline=None)
def test_ritz_values_lie_within_the_spectrum(seed, steps):
    matrix = with_spectrum(list(range(-10, 20)), seed)
    found, _ = lanczos(lambda v: matrix @ v, vector(30, seed + 1), steps, random(seed))
    assert len(found) == steps
    assert found.max() <= 19 + 1e-9
    assert found.min() >= -10 - 1e-9


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_top_eigenvalues_are_the_largest_of_a_wide_spectrum(dtype):
    values = [50.0, 40.0, 40.0, 30.0, -60.0, *np.linspace(0, 1, 295)]
    matrix = with_spectrum(values).to(dtype)
    calls = []
    top, first = top_eigenvalues(lambda v: calls.append(1) or matrix @ v, vector(300).to(dtype), 2, random())
    np.testing.assert_allclose(top, [50, 40], rtol=1e-4)
    assert (matrix @ first - 50 * first).norm() < 0.1
    assert len(calls) < 30


def test_top_eigenvalue_of_a_network_is_that_of_its_hessian():
    model, loss, matrix = problem()
    (top,), _ = top_eigenvalues(Hessian(loss, model.parameters()), vector(len(matrix)), 1, random())
    assert top == pytest.approx(float(torch.linalg.eigvalsh(matrix)[-1]), rel=1e-5)


def test_a_start_near_the_first_vector_saves_products():
    matrix = with_spectrum([10.0, *np.linspace(0, 9, 199)])
    calls = []
    _, first = top_eigenvalues(lambda v: matrix @ v, vector(200), 1, random())
    (again,), _ = top_eigenvalues(lambda v: calls.append(1) or matrix @ v, first + 0.01 * vector(200, 1), 1, random())
    cold = len(lanczos(lambda v: matrix @ v, vector(200), 200, random(), tolerance=1e-3)[0])
    assert again == pytest.approx(10, rel=1e-4)
    assert len(calls) < cold


def test_a_matrix_of_zeros_has_zero_eigenvalues_and_one_of_nan_has_nan():
    assert not lanczos(torch.zeros_like, vector(4, 1), 4, random())[0].any()
    assert top_eigenvalues(lambda v: v * torch.nan, vector(4), 1, random())[0].isnan().all()


@given(spectra, seeds)
@settings(max_examples=20, deadline=None)
def test_hutchinson_is_exact_on_a_diagonal_matrix(diagonal, seed):
    matrix = torch.diag(torch.tensor(diagonal))
    trace, error = hutchinson(lambda v: matrix @ v, len(diagonal), 3, random(seed))
    assert trace == pytest.approx(sum(diagonal), abs=1e-4)
    assert error == pytest.approx(0, abs=1e-4)


def test_hutchinsons_standard_error_is_the_theorys_and_honest():
    matrix, random_ = with_spectrum([5.0, 3.0, 1.0, -2.0, *[0.1] * 16]), random()
    estimates = np.array([hutchinson(lambda v: matrix @ v, 20, 40, random_, torch.float64) for _ in range(400)])
    traces, errors = estimates.T
    off_diagonal = matrix - torch.diag(matrix.diag())
    expected = float((2 * off_diagonal.square().sum() / 40).sqrt())
    assert traces.mean() == pytest.approx(float(matrix.trace()), abs=4 * expected / 20)
    assert traces.std() == pytest.approx(expected, rel=0.12)
    assert errors.mean() == pytest.approx(expected, rel=0.05)
    assert 0.9 < (np.abs(traces - float(matrix.trace())) < 2 * errors).mean() < 0.99


def test_one_draw_has_no_standard_error():
    with pytest.raises(UserError, match="draws=1, expected at least 2"):
        hutchinson(lambda v: v, 3, 1, random())
