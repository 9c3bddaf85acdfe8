"""The mistakes that people make with RMSprop, Adam, weight decay and the tangent kernel are caught where made."""

import numpy as np
import pytest
import torch
from mistakes import assert_caught, each
from sympy import Integral, oo, sqrt

from phase2.derive import adam, rmsprop, tangent_kernel, weight_decay
from phase2.derive.hidden_layer import HiddenLayer
from phase2.derive.walk import moves
from phase2.optim import SGD, Adagrad, Adam, AdamW


def eps_inside_the_root(rng):
    s = rmsprop._Stream(rng)
    return s.moves(s.g, eps=s.eps), -s.lr * s.g / np.sqrt(s.v + s.eps)


def mean_of_independent_squares(rng):
    names = rmsprop._estimate(rng)
    return names[r"\operatorname{Var} v_t"], names[r"\operatorname{Var} g^2"] / names["t"]


def no_step_beyond_the_rate(rng):
    s = rmsprop._Stream(rng)
    return np.abs(s.moves(s.g)), np.full_like(s.g, s.lr)


def eps_scaled_with_the_gradients(rng):
    s = rmsprop._Stream(rng)
    return s.moves(3 * s.g, eps=s.eps), s.moves(s.g, eps=3 * s.eps)


def deviation_from_the_first_step(rng):
    s = rmsprop._Stream(rng)
    spread = [w @ (s.g - m) ** 2 for w, m in zip(s.weights, s.weights @ s.g, strict=True)]
    return s.moves(s.g, eps=s.eps, centered=True), -s.lr * s.g / (np.sqrt(spread) + s.eps)


def adagrad_without_the_root(rng):
    s = rmsprop._Stream(rng)
    return moves(Adagrad, s.constant, lr=s.lr, eps=0.0), -s.lr / s.t * np.sign(s.constant)


RMSPROP = {
    "ε under the root": ("Unrolled", {"case": eps_inside_the_root}),
    "the horizon without the present": ("Its memory", {"right": rmsprop.alpha / (1 - rmsprop.alpha)}),
    "the noise is that of an even mean": ("from below", {"case": mean_of_independent_squares}),
    "ε grows with the gradients": ("comes out of the root", {"case": eps_scaled_with_the_gradients}),
    "the rate is taken for the bound": ("part of its own divisor", {"case": no_step_beyond_the_rate}),
    "the missing weight is forgotten": ("The centred form", {"case": deviation_from_the_first_step}),
    "Adagrad's rate falls like 1/t": ("slows down by itself", {"case": adagrad_without_the_root}),
}


def correction_by_one_factor(rng):
    s = adam._Stream(rng)
    return s.moves(s.g, eps=s.eps), -s.lr * s.m / (1 - s.beta1) / (np.sqrt(s.v / (1 - s.beta2)) + s.eps)


def eps_forgotten(rng):
    s = adam._Stream(rng)
    g = np.tile(s.g[0], (adam.STEPS, 1))
    return s.moves(g, eps=s.eps), -s.lr * np.sign(g)


def corrections_without_the_root(rng):
    s = adam._Stream(rng)
    one, two = s.corrections
    return -s.lr * s.m / np.sqrt(s.v), s.moves(s.g) * one / two


def bound_of_the_paper(rng):
    s = adam._Stream(rng)
    g = (s.beta2 / s.beta1) ** s.t * s.g[0]
    return np.abs(s.moves(g)), np.full_like(g, s.lr * max(1, (1 - s.beta1) / np.sqrt(1 - s.beta2)))


def noise_averages_out(rng):
    names = adam._noise(rng)
    return names[r"\mathbb{E}\, \Delta_t^2"], names[r"\eta"] ** 2 / names["t"]


def largest_of_the_corrected(rng):
    s = adam._Stream(rng)
    s.g[adam.STEPS // 2 :] *= 0.1
    one, two = s.corrections
    return s.moves(s.g, amsgrad=True), -s.lr * s.m / one / np.sqrt(np.maximum.accumulate(s.v / two))


ADAM = {
    "the correction is the same at every step": ("Unrolled", {"case": correction_by_one_factor}),
    "the weights are taken to add up to 1": ("lack", {"right": 1 - adam.beta}),
    "ε is lost in the first step": ("does not change", {"case": eps_forgotten}),
    "the second correction outside the root": ("Without correction", {"case": corrections_without_the_root}),
    "the paper's value is taken for a bound": ("Cauchy and Schwarz", {"case": bound_of_the_paper}),
    "noise averages out over the steps": ("Where gradients disagree", {"case": noise_averages_out}),
    "AMSGrad keeps the largest corrected moment": ("Its divisor never falls", {"case": largest_of_the_corrected}),
}


def decay_without_the_rate(rng):
    p = weight_decay._Problem(rng)
    return p.walk(SGD, weight_decay=p.decay), p.walk(weight_decay._DecayedSGD, shrink=1 - p.decay)


def penalty_beside_the_velocity(rng):
    p = weight_decay._Problem(rng)
    decoupled = p.walk(weight_decay._DecayedSGD, shrink=1 - p.lr * p.decay, momentum=p.mu)
    return p.walk(SGD, weight_decay=p.decay, momentum=p.mu), decoupled


def adam_like_sgd(rng):
    p = weight_decay._Problem(rng)
    decay = {"weight_decay": p.decay, "betas": p.betas}
    return p.walk(Adam, **decay), p.walk(AdamW, **decay)


def scale_counts_for_adamw(rng):
    large, (l2, _) = weight_decay._scaled(rng)
    return large, [l2, l2]


def limit_of_the_rate(rng):
    p, g = weight_decay._Problem(rng), rng.normal(size=weight_decay.SIZE)
    kept = (1 - p.lr * p.decay) ** np.arange(weight_decay.STEPS + 1)[:, None]
    theta = p.walk(AdamW, lambda _: g, weight_decay=p.decay, eps=0.0, betas=p.betas)
    return theta, kept * p.start - (1 - kept) * p.lr / p.decay * np.sign(g)


WEIGHT_DECAY = {
    "the rate is left out of the decay": ("For plain SGD", {"case": decay_without_the_rate}),
    "the velocity is left out": ("passes through the velocity", {"case": penalty_beside_the_velocity}),
    "the effective rate is left out": ("Where the loss is flat", {"right": 1 - weight_decay.eta * weight_decay.lamda}),
    "Adam's L2 is taken for AdamW": ("Adam divides", {"case": adam_like_sgd}),
    "AdamW is taken to feel the scale": ("scaled by $c$", {"case": scale_counts_for_adamw}),
    "the limit is taken as η/λ": ("limits the weights", {"case": limit_of_the_rate}),
    "the square for the fourth power": (
        "no size that the loss could see",
        {"right": weight_decay.c * sqrt(weight_decay.eta / (2 * weight_decay.lamda))},
    ),
}


def uphill(rng):
    speed, expected = tangent_kernel._outputs_move(rng)
    return speed, -expected


def fastest_mode_for_the_slowest(rng):
    net = HiddenLayer(rng)
    return -(net.J.T @ net.residual).square().sum(), -2 * torch.linalg.eigvalsh(net.kernel)[-1] * net.loss(net.theta)


def samples_apart(rng):
    kernel, _ = tangent_kernel._units(rng)
    return kernel, torch.diag(kernel.diagonal())


def covariance_for_the_tangent_kernel(rng):
    X = torch.from_numpy(rng.normal(size=(4, 3)))
    covariance, tangent = tangent_kernel.kernels(X, X, depth=1, activation="relu", bias=0.0)
    return tangent, covariance


def scale_does_not_count(rng):
    net, scale = HiddenLayer(rng), rng.uniform(0.1, 9.0)
    kappa = net.curvature(net.X[0]) / net.J[0].square().sum()
    return scale * kappa / scale**2, kappa


def standard_scaling(rng):
    exponents, _ = tangent_kernel._exponents(rng)
    return exponents, [0, -1, -1, -1]


u, half = tangent_kernel.z, tangent_kernel.HALF
TANGENT_KERNEL = {
    "the flow goes uphill": ("By the chain rule", {"case": uphill}),
    "the largest eigenvalue bounds the loss": ("smallest eigenvalue", {"case": fastest_mode_for_the_slowest}),
    "a step of any length is stable": (
        "factor is below 1",
        {"right": 1 - 2 * tangent_kernel.eta * tangent_kernel.lamda},
    ),
    "samples are taken to have nothing in common": ("one hidden layer", {"case": samples_apart}),
    "a⁴ is taken to average to 1": (
        "tends to its expectation",
        {"left": (4 * Integral((u**4 + 2 * u**2 + 1) * half, (u, 0, oo)) - 4) / tangent_kernel.n},
    ),
    "the covariance is taken for the tangent kernel": ("arc-cosine", {"case": covariance_for_the_tangent_kernel}),
    "the criterion is taken as free of scale": ("$\\kappa$", {"case": scale_does_not_count}),
    "weights are taken to move like 1/n": ("Trained networks follow", {"case": standard_scaling}),
}

MISTAKES = {"rmsprop": RMSPROP, "adam": ADAM, "weight_decay": WEIGHT_DECAY, "tangent_kernel": TANGENT_KERNEL}


@pytest.mark.parametrize(("name", "mistake"), each(MISTAKES))
def test_a_mistake_is_caught_in_the_step_where_it_is_made(name: str, mistake: str):
    words, changes = MISTAKES[name][mistake]
    assert_caught(name, words, **changes)
