"""The sentences on the kernel regime: the right numbers, and other sentences for other results."""

from itertools import product

import numpy as np
from said import SEEDS, rows, said

from phase2.report.measured_words import NOTHING, TOO_FEW

ACTIVATIONS, WIDTHS = ("relu", "erf"), (16, 64, 256)
ACCURACY = {"ntk_infinite": 0.8, "nngp_infinite": 0.7, "ntk_empirical": 0.6, "linearized": 0.75, "network": 0.75}


def regime(power=-0.5, moved=-1.0, apart=-0.5, accuracy=ACCURACY, widths=WIDTHS, seeds=SEEDS) -> dict:
    """Powers of the width, the same with both activations; a network is one point better than it with every seed."""
    places = list(product(ACTIVATIONS, widths, seeds))
    steps = [(*place, step, 0.1 - 0.0009 * step, 0.1, place[1] ** apart) for place in places for step in (0, 100)]
    scores = [
        (method, activation, seed, value + (0.01 * seed if method == "network" else 0), 0.04)
        for (method, value), activation, seed in product(accuracy.items(), ACTIVATIONS, seeds)
    ]
    place = ["activation", "width", "seed"]
    return {
        "convergence": rows(
            [*place, "ntk_error", "nngp_error"], *((*p, p[1] ** power, 2 * p[1] ** -0.5) for p in places)
        ),
        "drift": rows([*place, "drift"], *((*p, p[1] ** moved) for p in places)),
        "linearized": rows([*place, "step", "network_loss", "linearized_loss", "distance"], *steps),
        "regression": rows(["method", "activation", "seed", "test_accuracy", "test_mse"], *scores),
    }


def test_what_was_measured_names_widths_images_and_steps():
    measured = said("kernel_regime", regime())[0]
    assert "Perceptrons with ReLU and erf, of 2 hidden layers and of 3 widths from 16 to 256 units" in measured
    assert "on 128 images of" in measured
    assert "for 100 steps of full-batch gradient descent" in measured


def test_slopes_of_the_theory_are_told_from_others():
    text = said("kernel_regime", regime())[1]
    assert r"$-0.50 \pm 0.00$ with ReLU and $-0.50 \pm 0.00$ with erf for the tangent kernel, and to that of" in text
    assert "for the last hidden layer's covariance: all within $0.1$ of the theory's $-0.5$." in text
    text = said("kernel_regime", regime(power=-0.2))[1]
    assert r"$-0.20 \pm 0.00$ with ReLU" in text
    assert "further than $0.1$ from it for the tangent kernel with ReLU and the tangent kernel with erf." in text


def test_the_drift_is_nearer_to_one_theory_or_to_the_other():
    text = said("kernel_regime", regime())[1]
    assert r"by ($6.25 \pm 0.00$)\% and ($0.39 \pm 0.00$)\% with ReLU, and by" in text
    assert r"$-1.00 \pm 0.00$ with erf; a bound of the power $-0.5$ is proved~\cite{lee2019}" in text
    assert "what is measured is nearer to the latter." in text
    assert "nearer to the former." in said("kernel_regime", regime(moved=-0.6))[1]
    mixed = regime()
    relu = mixed["drift"]["activation"] == "relu"
    mixed["drift"].loc[relu, "drift"] = mixed["drift"]["width"] ** -0.5
    assert "nearer to the latter with erf only." in said("kernel_regime", mixed)[1]


def test_a_widest_network_that_is_nearer_to_linear_is_told_from_one_that_is_not():
    text = said("kernel_regime", regime())[1]
    assert r"relative to the network's, by ($25.00 \pm 0.00$)\% and ($6.25 \pm 0.00$)\% with ReLU" in text
    assert "the widest is nearer to linear in every seed." in text
    assert "nearer to linear in 0 of 6 pairs of a seed" in said("kernel_regime", regime(apart=0.1))[1]


def test_the_kernel_or_the_network_is_ahead_in_every_seed_or_in_some():
    text = said("kernel_regime", regime())[1]
    assert r"With erf, the test accuracy is ($80.00 \pm 0.00$)\% by regression with the infinitely wide" in text
    assert r"its training loss then ($10.00 \pm 0.00$)\% of the first" in text
    assert "the kernel is ahead of the network by 4.00 points, in every seed." in text
    text = said("kernel_regime", regime(accuracy=ACCURACY | {"network": 0.795}))[1]
    assert "the network is ahead of the kernel by 0.50 points, though only in 2 of 3 seeds." in text
    text = said("kernel_regime", regime(accuracy=ACCURACY | {"network": 0.79}))[1]
    assert "neither is ahead." in text


def test_two_seeds_or_a_single_width_have_no_verdict():
    text = said("kernel_regime", regime(seeds=[0, 1]))[1]
    assert text.endswith(TOO_FEW)
    assert r"\pm" not in text
    assert "nearer to" not in text
    assert "in every seed" not in text
    text = said("kernel_regime", regime(widths=(64,)))[1]
    assert "With a single width, how the kernels come to their limits cannot be said." in text


def test_networks_that_diverged_say_nothing():
    tables = regime()
    tables["linearized"]["distance"] = np.nan
    assert said("kernel_regime", tables)[1] == NOTHING
