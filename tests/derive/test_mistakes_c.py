"""The mistakes that people make with momentum, its optimum, Nesterov's form and schedules are caught where made."""

import numpy as np
import pytest
from mistakes import assert_caught, each, misprint
from sympy import Rational, pi, sin, sqrt

from phase2.derive import momentum, nesterov, quadratic, schedules
from phase2.derive.walk import descend


def weights_of_an_average(rng):
    stream = momentum._Stream(rng)
    return stream.v[-1], stream.weighted((1 - stream.mu) * stream.mu ** np.arange(momentum.STEPS))


def horizon_for_the_mean_age(rng):
    (age, noise), (expected, left) = momentum._lag_and_noise(rng)
    return [age, noise], [expected + 1, left]


def full_rate_from_the_start(rng):
    rate, mu, gradient = rng.uniform(0.1, 1.0), rng.uniform(0.5, 0.95), rng.normal(size=momentum.SIZE)
    theta, _ = descend(lambda _: gradient, np.zeros(momentum.SIZE), [rate] * momentum.STEPS, momentum=mu)
    return theta[-1], -rate / (1 - mu) * momentum.STEPS * gradient


def forms_equal_at_a_changed_rate(rng):
    stream = momentum._Stream(rng)
    return stream.theta, stream.classical()


def first_gradient_dampened_too(rng):
    stream = momentum._Stream(rng, dampened=True)
    weights = (1 - stream.mu) * stream.mu ** np.arange(momentum.STEPS)
    return np.append(stream.v[-1], 1.0), np.append(stream.weighted(weights), weights.sum())


def oscillator_without_friction(rng):
    curvature, steps = rng.uniform(0.5, 4.0), round(2 / momentum.FINE)
    theta, _ = descend(lambda x: curvature * x, np.ones(1), [momentum.FINE**2] * steps, momentum=1 - momentum.FINE)
    return theta[:: steps // 10, 0], np.cos(np.sqrt(curvature) * np.linspace(0, 2, 11))


MOMENTUM = {
    "the weights of an average are taken for torch's": ("Unrolled", {"case": weights_of_an_average}),
    "the series has one term more": (
        "do not add up to 1",
        {"right": (1 - momentum.mu ** (momentum.t + 1)) / (1 - momentum.mu)},
    ),
    "the horizon is taken for the mean age": ("lags behind", {"case": horizon_for_the_mean_age}),
    "the effective rate holds from the first step": ("stays the same", {"case": full_rate_from_the_start}),
    "the forms are equal whatever the rate does": ("In the classical form", {"case": forms_equal_at_a_changed_rate}),
    "torch's first velocity is taken as dampened": ("Dampening", {"case": first_gradient_dampened_too}),
    "the friction's part of momentum is added": (
        "A ball of mass",
        {
            "right": momentum.x
            - momentum.h**2 / momentum.m * momentum.g
            + (1 + momentum.c * momentum.h / momentum.m) * (momentum.x - momentum.x_last)
        },
    ),
    "the limit has no friction": ("follows the ball", {"case": oscillator_without_friction}),
}

kappa, eta, lam, mu = quadratic.kappa, quadratic.eta, quadratic.lam, quadratic.mu


def descent_at_one_over_L(rng):
    low, high = rng.uniform(0.1, 1.0), rng.uniform(1.0, 30.0)
    factors = np.abs(1 - np.array([low, high]) / high)
    return [1 / high, factors.max()], [2 / (high + low), (high / low - 1) / (high / low + 1)]


def recursion_without_the_momentum_of_the_last(rng):
    f, rate, momentum_ = quadratic._Quadratic(rng), rng.uniform(0.1, 1.0), rng.uniform(0.1, 0.95)
    e = f.errors(rate, momentum_, steps=10)
    return e[2:], (1 - rate * f.eigenvalues) * e[1:-1] - momentum_ * e[:-2]


def modulus_mu(rng):
    momentum_, product = quadratic._between(rng, (0.05, 0.95))
    return quadratic.radius(product, momentum_), np.array([momentum_])


def modulus_beyond_the_bounds(rng):
    momentum_, product = quadratic._between(rng, (1.1, 1.5))
    return quadratic.radius(product, momentum_), np.array([np.sqrt(momentum_)])


def descents_bound(rng):
    return quadratic._largest_rate(rng)[0], 2.0


def momentum_not_squared(rng):
    (rho, best, rate), (right_rho, right_best, right_rate) = quadratic._best_momentum(rng)
    return [rho, best, rate], [right_rho, np.sqrt(right_best), right_rate]


def double_root_without_its_factor(rng):
    errors = quadratic._transient(rng)[r"e_t^\ell"]
    return errors[1:], errors[1] ** np.arange(1, 50)


QUADRATIC = {
    "the step's momentum is lost from the first factor": (
        "falls apart",
        {"case": recursion_without_the_momentum_of_the_last},
    ),
    "1/L is taken for descent's best rate": ("Descent multiplies", {"case": descent_at_one_over_L}),
    "the determinant is left out": (
        "is multiplied by a matrix",
        {"right": quadratic.z**2 - (1 + mu - eta * lam) * quadratic.z},
    ),
    "the bounds lack the roots of μ": (
        "discriminant",
        {"right": (eta * lam - (1 - mu) ** 2) * (eta * lam - (1 + mu) ** 2)},
    ),
    "the modulus is taken as μ": ("The product of the roots", {"case": modulus_mu}),
    "the modulus is √μ for real roots too": ("The product of the roots", {"case": modulus_beyond_the_bounds}),
    "descent's bound on the rate is kept": ("has this bound too", {"case": descents_bound}),
    "√κ is lost from the momentum": ("Their ratio", {"right": (kappa - 1) / (kappa + 1)}),
    "the momentum is taken as ρ": ("No other pair", {"case": momentum_not_squared}),
    "a double root decays like a single one": ("the roots coincide", {"case": double_root_without_its_factor}),
    "the exponent is counted twice": ("Since $\\log", {"left": 4 / sqrt(kappa)}),
    "descent is counted with κ/4": ("Counted for", misprint("quadratic_momentum", "Counted for", "691", "346")),
}


def every_step_takes_a_tenth_off(rng):
    run = nesterov._transient(rng)
    return run["e_1"], 0.9


def the_loss_falls_by_the_factor_at_every_step(rng):
    run = nesterov._on_quadratic(100.0)
    return run["e_t"] ** 2, run[r"\rho"] ** run["t"]


def heavy_ball_for_the_look_ahead(rng):
    bowl = nesterov.Bowl(rng)
    theta, _ = bowl.run(nesterov.look_ahead)
    slopes = np.array([bowl.gradient(point) for point in theta[1:-1]])
    return theta[2:], theta[1:-1] - bowl.rate * slopes + bowl.momentum * (theta[1:-1] - theta[:-2])


def parameters_for_thetas(rng):
    bowl = nesterov.Bowl(rng)
    return bowl.run(nesterov.by_code)[0], bowl.run(nesterov.look_ahead)[0]


def old_velocity_in_torchs_step(rng):
    bowl = nesterov.Bowl(rng)
    phi, b = bowl.run(nesterov.by_code)
    slopes = np.array([bowl.gradient(point) for point in phi[:-1]])
    return phi[1:], phi[:-1] - bowl.rate * (slopes + bowl.momentum * b[:-1])


def back_without_the_rate(rng):
    bowl = nesterov.Bowl(rng)
    phi, b = bowl.run(nesterov.by_code)
    return bowl.run(nesterov.look_ahead)[0], phi + bowl.momentum * b


def momentum_of_the_heavy_ball(rng):
    k = rng.uniform(2.0, 50.0)
    best = ((np.sqrt(k) - 1) / (np.sqrt(k) + 1)) ** 2
    return nesterov.radius(np.linspace(1 / k, 1, 30), best).max(), 1 - 1 / np.sqrt(k)


def rate_of_the_heavy_ball(rng):
    """On f = x²/2κ, where the promise is closest to what happens."""
    k, t = 100.0, np.arange(50)
    theta, _ = nesterov.look_ahead(lambda x: x / k, np.ones(1), 1.0, nesterov._optimal(k)[0], len(t) - 1)
    return theta[:, 0] ** 2 / (2 * k), ((np.sqrt(k) - 1) / (np.sqrt(k) + 1)) ** t / k


def heavy_ball_arrives(rng):
    return nesterov._circle(rng)[0], np.zeros(4)


n_eta, n_lam, n_mu, n_kappa = nesterov.eta, nesterov.lam, nesterov.mu, nesterov.kappa
NESTEROV = {
    "the gradient is taken before the extrapolation": ("two sequences", {"case": heavy_ball_for_the_look_ahead}),
    "the old velocity stays in the change of variables": (
        "A library takes gradients",
        {"right": nesterov.theta + 2 * n_mu * nesterov.v - n_eta * nesterov.g},
    ),
    "torch's parameters are taken for Nesterov's": ("Torch's velocity", {"case": parameters_for_thetas}),
    "torch's step is taken along the old velocity": ("Torch's velocity", {"case": old_velocity_in_torchs_step}),
    "the rate is lost on the way back": ("are thus the extrapolated", {"case": back_without_the_rate}),
    "the look-ahead is left out of the last error": (
        "velocity is eliminated",
        {"right": (1 - n_eta * n_lam) * (1 + n_mu) * nesterov.e - n_mu * nesterov.e_last},
    ),
    "the heavy ball's bound is used": ("Stability ends", {"right": 2 * (1 + n_mu)}),
    "the heavy ball's momentum is used": ("steeper directions are faster", {"case": momentum_of_the_heavy_ball}),
    "every step is taken to shrink the error by 1/√κ": ("is felt for", {"case": every_step_takes_a_tenth_off}),
    "the loss is taken to fall by ρ at every step": (
        "What is won",
        {"case": the_loss_falls_by_the_factor_at_every_step},
    ),
    "the heavy ball's factor is promised": ("What is won", {"case": rate_of_the_heavy_ball}),
    "the two factors are the wrong way round": (
        "the slower of the two",
        {"right": 1 / sqrt(n_kappa)},
    ),
    "the heavy ball converges wherever it is stable": ("tuned as for a quadratic", {"case": heavy_ball_arrives}),
}


def mean_without_its_last_half_step(rng):
    total, peak = 20, rng.uniform(0.1, 1.0)
    return schedules.rates("cosine", total, peak).sum(), total * peak / 2


def periods_of_one_length(rng):
    begins = schedules._restarts(rng)[0][:-1]
    return begins, begins[0] * np.arange(1, 5)


def final_factor_of_the_peak(rng):
    rates = schedules._corners(rng)
    return rates[r"\eta_{T-1}"] / rates[r"\eta_{pT-1}"], 1e-4


def mean_of_a_triangle_from_zero(rng):
    return schedules.rates("one_cycle", 100, 1.0).sum(), 50.0


def adam_always_takes_whole_steps(rng):
    return schedules.adam_on_noise(rng, steps=250), [1, 1]


def line_as_good_as_the_cosine(rng):
    peak, curvature = rng.uniform(0.3, 1.0), rng.uniform(0.5, 1.0)
    left = [schedules.variance_left(schedules.rates(name, 1000, peak), curvature) for name in ("linear", "cosine")]
    return left[0] / left[1], 1


s_eta, s_lam, sigma, n = schedules.eta, schedules.lam, schedules.sigma, schedules.n
SCHEDULES = {
    "the inner derivative is lost": (
        "slope 0 at both ends",
        {"right": -Rational(1, 2) * (s_eta - schedules.end) * sin(pi * schedules.s)},
    ),
    "the cosine is taken for a line": (
        "lingers",
        {"right": schedules.end + Rational(2, 3) * (s_eta - schedules.end)},
    ),
    "the sum is taken for the integral": ("odd about its middle", {"case": mean_without_its_last_half_step}),
    "the periods are taken as equally long": ("With warm restarts", {"case": periods_of_one_length}),
    "the final factor is taken of the peak": ("One-cycle rises", {"case": final_factor_of_the_peak}),
    "one-cycle is taken to start and end at 0": ("mean of its ends", {"case": mean_of_a_triangle_from_zero}),
    "Adam's steps are taken as whole for ever": ("Why warm up", {"case": adam_always_takes_whole_steps}),
    "the variance is that of continuous time": ("Why decay", {"right": s_eta * sigma**2 / (2 * s_lam)}),
    "the average forgets the last sample": ("plain average", {"right": sigma**2 / (s_lam**2 * n)}),
    "c for its cube root": (
        "That needs",
        {"right": schedules.c * (3 / (2 * s_lam)) ** Rational(5, 3)},
    ),
    "the line is said to lose noise as fast": ("The flat end pays", {"case": line_as_good_as_the_cosine}),
}

MISTAKES = {
    "momentum": MOMENTUM,
    "quadratic_momentum": QUADRATIC,
    "nesterov": NESTEROV,
    "schedules": SCHEDULES,
}


@pytest.mark.parametrize(("name", "mistake"), each(MISTAKES))
def test_a_mistake_is_caught_in_the_step_where_it_is_made(name: str, mistake: str):
    words, changes = MISTAKES[name][mistake]
    assert_caught(name, words, **changes)
