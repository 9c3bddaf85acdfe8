"""The mistakes that people make in these derivations are caught, in the step where they are made."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import sympy

from phase2.derive import batch_noise, batch_norm, dropout, layer_norm, mc_dropout, mean_field
from phase2.derive import weight_variance as weights
from phase2.derive.catalog import load
from phase2.derive.derivation import WrongStep


def layer_norm_without_mean(rng):
    layer = layer_norm._Layer(rng)
    return layer.gradient("x"), (layer.h - (layer.h * layer.x_hat).mean() * layer.x_hat) / layer.s


def layer_norm_of_constant_deviation(rng):
    layer = layer_norm._Layer(rng)
    return layer.gradient("x"), (layer.h - layer.h.mean()) / layer.s


def layer_norm_orthogonal_in_spite_of_eps(rng):
    layer = layer_norm._Layer(rng)
    return layer.x_hat @ layer.gradient("x"), 0.0


def layer_norm_blind_to_the_scale_of_a_row(rng):
    layer = layer_norm._Weights(rng)
    scaled = layer.W.clone()
    scaled[0] *= layer.a
    return layer.output(scaled), layer.output(layer.W)


def batch_norm_with_unbiased_variance(rng):
    f = batch_norm._Feature(rng)
    m = batch_norm.BATCH
    return f.gradient("x"), f.h / f.s + f.dv * 2 * (f.x - f.mu) / (m - 1) + f.dmu / m


def batch_norm_of_constant_statistics(rng):
    feature = batch_norm._Feature(rng)
    return feature.gradient("x"), feature.h / feature.s


def batch_norm_whose_gradient_grows_with_the_weights(rng):
    layer = batch_norm._Layer(rng)
    return layer.gradient(layer.a * layer.W), layer.a * layer.gradient(layer.W)


def batch_norm_folded_without_the_mean(rng):
    gamma, beta, mu, s, x = np.abs(rng.normal(size=(5, 3)))
    return gamma * (x - mu) / s + beta, gamma / s * x + beta


def batch_variance_without_bias(rng):
    e = batch_noise._Enumeration(rng)
    return e.probability @ e.V, e.sigma2


def backward_with_fan_in(rng):
    std, delta = rng.uniform(0.5, 2.0), rng.normal(size=weights.OUT)
    back = np.swapaxes(weights._every_sign(std), 1, 2) @ delta
    return (back**2).mean(0), np.full(weights.IN, weights.IN * std**2 * (delta**2).mean())


def backward_through_untransposed_slopes(rng):
    layer = mean_field._Layer(rng, "tanh")
    slope = 1 - layer.h.tanh() ** 2
    return layer.delta_before(layer.W), (slope * layer.delta) @ layer.W


def variance_without_bias(rng):
    return {**mean_field._variance(rng), r"\sigma_b": 0.0}


def variance_too_large(rng):
    names = mean_field._variance(rng)
    return {**names, "q^l": 1.15 * names["q^l"]}


def square_of_the_mean_slope(rng):
    """(E φ')² in the place of E φ'²."""
    names = mean_field._growth(rng)
    roots = [
        mean_field._expectation(lambda x, f=f: abs(f(x)) ** 0.5, 1.0) for _, f in mean_field.BY_DEFINITION.values()
    ]
    return {**names, mean_field.SLOPE: np.array(roots) ** 2}


def dropout_scaled_by_p(rng):
    layer = dropout._Layer(rng)
    return layer.average(layer.z * (1 - layer.p) / layer.p), layer.mean


def dropout_exact_through_relu(rng):
    layer = dropout._Layer(rng)
    return layer.average(np.maximum(layer.z, 0)), np.maximum(layer.mean, 0)


def variance_without_noise(rng):
    outputs, tau = rng.normal(size=5), rng.uniform(0.5, 4.0)
    return [outputs.mean(), 1 / tau + outputs.var()], [outputs.mean(), outputs.var()]


def kl_without_the_entropy_of_the_choice(rng):
    left, right = mc_dropout._bernoulli_kl(rng)
    return left, right + np.log(2)


def entropy_by_the_reversed_divergence(rng):
    p = rng.dirichlet(np.ones(4), size=5)
    reverse = np.mean([mc_dropout._kl(p.mean(0), row) for row in p])
    return mc_dropout._entropy(p.mean(0)), mc_dropout._entropy(p).mean() + reverse


n_in, n_out, q, a = weights.n_in, weights.n_out, weights.q, weights.a
x, p = dropout.x, dropout.p
m, t, x_hat, sigma = batch_noise.m, batch_noise.t, batch_noise.x_hat, batch_noise.sigma
N, lam, tau = mc_dropout.N, mc_dropout.lam, mc_dropout.tau

MISTAKES = [
    ("layer_norm", 7, {"case": layer_norm_without_mean}),
    ("layer_norm", 7, {"case": layer_norm_of_constant_deviation}),
    ("layer_norm", 8, {"case": layer_norm_orthogonal_in_spite_of_eps}),
    ("layer_norm", 10, {"case": layer_norm_blind_to_the_scale_of_a_row}),
    ("batch_norm", 4, {"case": batch_norm_with_unbiased_variance}),
    ("batch_norm", 6, {"case": batch_norm_of_constant_statistics}),
    ("batch_norm", 9, {"case": batch_norm_whose_gradient_grows_with_the_weights}),
    ("batch_norm", 12, {"case": batch_norm_folded_without_the_mean}),
    ("batch_noise", 2, {"case": batch_variance_without_bias}),
    ("batch_noise", 4, {"right": 2 * sigma**4 / m}),  # the leading term is not the variance
    ("batch_noise", 6, {"right": (1 + x_hat**2) / m}),  # the half of the square root forgotten
    ("batch_noise", 9, {"right": t * (1 + x_hat**2 / 4)}),
    ("weight_variance", 4, {"case": backward_with_fan_in}),
    ("weight_variance", 5, {"right": 1 / (n_in + n_out)}),
    ("weight_variance", 7, {"right": 6 / (n_in + n_out)}),  # the bound squared taken for the variance
    ("weight_variance", 8, {"right": q}),
    ("weight_variance", 9, {"right": 1 / n_in}),  # ReLU's half forgotten
    ("weight_variance", 11, {"right": (1 + a) * q / 2}),  # the slope not squared
    ("mean_field", 3, {"case": backward_through_untransposed_slopes}),
    ("mean_field", 2, {"case": variance_without_bias}),
    ("mean_field", 2, {"case": variance_too_large}),
    ("mean_field", 4, {"case": square_of_the_mean_slope}),
    ("mean_field", 7, {"right": mean_field.sigma_w**2 / 4}),
    ("mean_field", 10, {"right": mean_field.q - sympy.Rational(2, 3) * mean_field.q**2}),  # moments forgotten
    ("dropout", 3, {"right": p * (1 - p) * x**2}),  # the variance without the scale
    ("dropout", 5, {"case": dropout_scaled_by_p}),
    ("dropout", 6, {"right": p * x}),
    ("dropout", 8, {"case": dropout_exact_through_relu, "relation": "="}),
    ("mc_dropout", 3, {"right": tau * (mc_dropout.y - mc_dropout.f) ** 2}),
    ("mc_dropout", 6, {"case": kl_without_the_entropy_of_the_choice}),
    ("mc_dropout", 7, {"right": (1 - mc_dropout.p) * mc_dropout.l**2 / (2 * N * lam)}),  # p dropped, not kept
    ("mc_dropout", 8, {"case": variance_without_noise}),
    ("mc_dropout", 9, {"right": mc_dropout.second - mc_dropout.first**2}),  # taken for unbiased
    ("mc_dropout", 11, {"case": entropy_by_the_reversed_divergence}),
]


@cache
def correct(name):
    return load(name)()


@pytest.mark.parametrize(("name", "number", "changes"), MISTAKES)
def test_a_common_mistake_is_caught_where_it_is_made(name, number, changes):
    derivation = correct(name)
    steps = list(derivation.steps)
    steps[number - 1] = replace(steps[number - 1], **changes)
    with pytest.raises(WrongStep, match=f"^{name}, step {number}: "):
        replace(derivation, steps=steps).check()
