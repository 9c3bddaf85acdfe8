"""The closed-form kernels against integrals and wide networks; regression and training in function space."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.errors import UserError
from phase2.models.ntk_mlp import NTKMLP
from phase2.nn import MSELoss
from phase2.probe.kernel_regime.infinite_width import EXPECTATIONS, dynamics, kernels, regress
from phase2.probe.kernel_regime.ntk import empirical_ntk, linearize

PHI = {
    "relu": (lambda u: u.clamp(min=0), lambda u: (u > 0).double()),
    "erf": (torch.erf, lambda u: 2 / math.sqrt(math.pi) * torch.exp(-(u**2))),
}
ACTIVATIONS = list(PHI)
ROUNDING = 1e-6  # an angle near 0 is known to the root of the machine's precision


def inputs(rows, features=6, seed=0):
    return torch.randn(rows, features, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def expectation(function, q1, q2, c):
    """E function(u) function(v) for variances q1, q2 and correlation c, in polar coordinates: u = √q1 r cos(a), ...

    The radius by Gauss-Laguerre of r²/2, the angle by its mean over a fine grid that has the kinks of φ at its ends.
    """
    nodes, weights = np.polynomial.legendre.leggauss(60)
    theta = math.acos(c)
    kinks = np.sort(np.mod([math.pi / 2, 3 * math.pi / 2, theta + math.pi / 2, theta - math.pi / 2], 2 * math.pi))
    edges = np.concatenate([[0], kinks, [2 * math.pi]])
    lows, spans = edges[:-1, None], np.diff(edges)[:, None]
    angle = torch.from_numpy((lows + spans * (nodes + 1) / 2).ravel())
    angle_weight = torch.from_numpy((spans * weights / 2).ravel()) / (2 * math.pi)
    radius = torch.from_numpy(6 * (nodes + 1))
    radius_weight = torch.from_numpy(6 * weights) * radius * torch.exp(-(radius**2) / 2)
    u = math.sqrt(q1) * radius[:, None] * angle.cos()
    v = math.sqrt(q2) * radius[:, None] * (angle - theta).cos()
    return float(radius_weight @ (function(u) * function(v)) @ angle_weight)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@settings(max_examples=15, deadline=None)
@given(q1=st.floats(0.05, 4), q2=st.floats(0.05, 4), c=st.floats(-0.99, 0.99))
def test_expectations_are_gaussian_integrals(activation, q1, q2, c):
    K, *variances = (torch.tensor(value, dtype=torch.float64) for value in (c * math.sqrt(q1 * q2), q1, q2))
    found = EXPECTATIONS[activation](K, *variances)
    expected = [expectation(function, q1, q2, c) for function in PHI[activation]]
    assert [float(value) for value in found] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), depth=st.integers(1, 6), rows=st.integers(1, 8), scale=st.floats(1e-3, 1e3))
def test_kernels_are_symmetric_positive_and_finite_with_repeated_inputs(activation, seed, depth, rows, scale):
    x = inputs(rows, seed=seed).mul(scale).repeat(2, 1)
    for kernel in kernels(x, x, depth, activation):
        assert kernel.isfinite().all()
        torch.testing.assert_close(kernel, kernel.mT, rtol=ROUNDING, atol=0)
        values = torch.linalg.eigvalsh(kernel)
        assert values[0] >= -ROUNDING * values[-1]
        torch.testing.assert_close(kernel[:rows, :rows], kernel[rows:, rows:], rtol=ROUNDING, atol=0)


def test_one_hidden_relu_layer_has_the_closed_form_of_two_unit_vectors():
    """Angle 60°, no bias: Σ¹ = c / 2, Θ² = Σ¹ κ0 + κ1 / 2 with the arc-cosine kernels κ of order 0 and 1."""
    x1, x2 = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.5, math.sqrt(0.75)]])
    nngp, ntk = kernels(x1, x2, 1, "relu", bias=0.0)
    kappa0, kappa1 = 2 / 3, (math.sqrt(0.75) + math.pi * 2 / 3 * 0.5) / math.pi
    assert float(nngp) == pytest.approx(kappa1 / 2, rel=1e-7)
    assert float(ntk) == pytest.approx(0.25 * kappa0 + kappa1 / 2, rel=1e-7)


def test_one_hidden_erf_layer_has_the_closed_form_on_the_diagonal():
    x = torch.ones(1, 3, dtype=torch.float64)  # Σ¹ = 1
    nngp, ntk = kernels(x, x, 1, "erf", bias=0.0)
    assert float(nngp) == pytest.approx(2 / math.pi * math.asin(2 / 3), rel=1e-12)
    assert float(ntk - nngp) == pytest.approx(4 / math.pi / math.sqrt(5), rel=1e-12)


@pytest.mark.parametrize("bias", [0.0, 0.1])
def test_relu_keeps_the_variance_and_adds_one_kernel_a_layer(bias):
    """On the diagonal He's scale gives E φφ = Σ and E φ'φ' = 1: Σ grows by β² a layer, Θ by Σ."""
    x = inputs(3)
    q = x.square().mean(1) + bias**2
    nngp, ntk = (kernel.diagonal() for kernel in kernels(x, x, 2, "relu", bias))
    torch.testing.assert_close(nngp, q + 2 * bias**2)
    torch.testing.assert_close(ntk, 3 * q + 3 * bias**2, rtol=1e-6, atol=0)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_tangent_kernels_of_networks_tend_to_the_limit_as_one_over_the_root_of_the_width(activation):
    x1, x2 = inputs(4), inputs(3, seed=1)
    limit = kernels(x1, x2, 2, activation)[1]
    for width in (120, 2000):
        distances = []
        for seed in range(4):
            model = NTKMLP(6, 1, width, 2, activation)
            model.reset(torch.Generator().manual_seed(seed))
            found = empirical_ntk(model, x1.float(), x2.float())
            distances.append(float((found - limit).norm() / limit.norm()))
        assert 1 < np.exp(np.mean(np.log(distances))) * math.sqrt(width) < 6


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs_of_wide_networks_have_the_nngp_as_covariance(activation):
    x1, x2, nets, width = inputs(4), inputs(3, seed=1), 16, 400
    nngp, covariance = kernels(x1, x2, 2, activation)[0], 0
    model = NTKMLP(6, width, width, 2, activation).double()
    for seed in range(nets):
        model.reset(torch.Generator().manual_seed(seed))
        with torch.no_grad():
            covariance += model(x1) @ model(x2).mT / width / nets
    assert (covariance - nngp).norm() / nngp.norm() < 10 / math.sqrt(nets * width)


def test_kernels_name_what_is_wrong():
    x = inputs(2)
    with pytest.raises(UserError, match="unknown activation of an infinitely wide network 'tanh': Known: erf, relu"):
        kernels(x, x, 1, "tanh")
    with pytest.raises(UserError, match="depth=0, expected at least 1 hidden layer"):
        kernels(x, x, 0, "relu")
    with pytest.raises(UserError, match="x1 has 6 features and x2 5"):
        kernels(x, inputs(2, 5), 1, "relu")


def test_regression_interpolates_and_a_ridge_shrinks():
    x, y = inputs(8), inputs(8, 2, seed=3)
    K = kernels(x, x, 2, "erf")[1]
    torch.testing.assert_close(regress(K, K, y), y, rtol=0, atol=1e-9)
    expected = K[:3] @ torch.linalg.solve(K + 0.5 * torch.eye(8), y)
    torch.testing.assert_close(regress(K, K[:3], y, ridge=0.5), expected)


def test_a_singular_kernel_is_told_with_its_remedy():
    x, y = inputs(4).repeat(2, 1), inputs(8, 1)
    K = x @ x.mT
    with pytest.raises(UserError, match=r"ridge=0 is singular: .* leave out repeated inputs or raise ridge, say to "):
        regress(K, K, y)
    assert regress(K, K, y, ridge=1e-6 * float(K.diagonal().mean())).isfinite().all()


@pytest.mark.parametrize("outputs", [1, 3])
def test_dynamics_are_those_of_gradient_descent_on_the_linearized_network(outputs):
    x, x_test, y, lr = inputs(5), inputs(2, seed=1), inputs(5, outputs, seed=2), 0.2
    model = NTKMLP(6, outputs, 30, 2, "erf").double()
    model.reset(torch.Generator().manual_seed(0))
    f_lin, change = linearize(model), {n: torch.zeros_like(p).requires_grad_() for n, p in model.named_parameters()}
    trained = []
    for _ in range(41):
        trained.append([f_lin(change, part).detach() for part in (x, x_test)])
        grads = torch.autograd.grad(MSELoss()(f_lin(change, x), y), list(change.values()))
        with torch.no_grad():
            for p, g in zip(change.values(), grads, strict=True):
                p -= lr * g
    K, K_test = (
        empirical_ntk(model, part, x, full=True).transpose(1, 2).flatten(2).flatten(0, 1) for part in (x, x_test)
    )
    start, test_start = (f.reshape(-1, 1) for f in trained[0])
    steps = [0, 1, 7, 40]
    found = (
        dynamics(K, start, y.reshape(-1, 1), lr, steps),
        dynamics(K, start, y.reshape(-1, 1), lr, steps, (K_test, test_start)),
    )
    for part in (0, 1):
        expected = torch.stack([trained[t][part].reshape(-1, 1) for t in steps])
        torch.testing.assert_close(found[part], expected, rtol=0, atol=1e-8)


def test_dynamics_end_at_the_regression_on_what_is_left_to_learn():
    x, x_test, y = inputs(6), inputs(3, seed=1), inputs(6, 2, seed=2)
    K, K_test = kernels(x, x, 1, "relu")[1], kernels(x_test, x, 1, "relu")[1]
    start, test_start = inputs(6, 2, seed=3), inputs(3, 2, seed=4)
    lr = y.numel() / float(torch.linalg.eigvalsh(K)[-1]) / 2
    end = dynamics(K, start, y, lr, [10**7], (K_test, test_start))[0]
    torch.testing.assert_close(end, test_start + regress(K, K_test, y - start), rtol=0, atol=1e-8)


def test_dynamics_of_a_singular_kernel_leave_what_it_cannot_learn():
    K, y = torch.ones(2, 2), torch.tensor([[1.0], [0.0]])
    end = dynamics(K, torch.zeros(2, 1), y, 0.3, [10**4])[0]
    torch.testing.assert_close(end, torch.full((2, 1), 0.5, dtype=torch.float64))
