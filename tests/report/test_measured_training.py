"""The sentences on probes that train, and on trained units: the right numbers, other sentences for other results."""

from itertools import product

import numpy as np
import pandas as pd
from said import SEEDS, rows, said

from phase2.report.measured_words import NOTHING, TOO_FEW, named


def ways(difference: float, accuracy: dict[str, float], seconds: dict[str, list[float]], seeds=SEEDS) -> dict:
    columns = ["implementation", "seed", "test_accuracy", "seconds", "max_gradient_difference"]
    values = [(name, seed, accuracy[name], seconds[name][seed], difference) for name in accuracy for seed in seeds]
    return {"results": rows(columns, *values)}


def test_four_ways_that_compute_the_same_are_told_from_those_that_do_not():
    seconds = {"numpy": [1.0, 1.0, 1.0], "autograd": [2.0, 2.0, 2.0]}
    measured, text = said("four_ways", ways(3e-15, {"numpy": 0.9, "autograd": 0.9}, seconds))
    assert "trained on 500 images" in measured
    assert "with 3 seeds" in measured
    assert r"$3\times10^{-15}$ from that of NumPy by hand: within $1\times10^{-10}$" in text
    assert r"($90.00 \pm 0.00$)\%" in text
    assert "at each seed all are equal" in text
    assert rf"with {named('numpy')}, $1.00 \pm 0.00$ seconds, in every seed, and the most with" in text
    text = said("four_ways", ways(1e-3, {"numpy": 0.9, "autograd": 0.88}, seconds))[1]
    assert "this is more than rounding" in text
    assert "at most 2.00 points apart" in text


def test_the_quickest_is_the_one_of_the_least_mean_time_and_not_always_of_every_seed():
    seconds = {"numpy": [3.0, 1.0, 3.0], "autograd": [1.0, 2.0, 1.0]}
    text = said("four_ways", ways(0, {"numpy": 0.9, "autograd": 0.9}, seconds))[1]
    assert f"least time with {named('autograd')}" in text
    assert "though only in 2 of 3 seeds" in text


def errors(levels: dict[tuple[str, int, int], float], seeds=SEEDS) -> dict[str, pd.DataFrame]:
    columns = ["target", "width", "depth", "seed", "parameters", "sup_error", "rms_error"]
    values = [
        (*place, seed, 9, error * (1 + 0.1 * seed), 0.0) for (place, error), seed in product(levels.items(), seeds)
    ]
    return {"errors": rows(columns, *values)}


WIDER = {("sine", 4, 1): 0.9, ("sine", 64, 1): 0.2, ("sine", 4, 3): 0.8, ("sine", 64, 3): 0.1}
JUMP = {("step", 4, 1): 1.0, ("step", 64, 1): 0.9, ("step", 4, 3): 1.0, ("step", 64, 3): 0.95}


def test_errors_that_fall_with_width_are_told_from_a_jump_that_does_not():
    text = said("approximation", errors(WIDER | JUMP))[1]
    assert "With 3 hidden layers, from 4 to 64 units a layer" in text
    assert r"from $0.880 \pm 0.080$ to $0.110 \pm 0.010$ for sine and" in text
    assert "less than half, and in every seed, for sine, but not for step; step jumps" in text
    assert "have a lower mean error than those of 1 hidden layer for sine." in text


def test_a_jump_that_is_approximated_is_not_excused():
    text = said("approximation", errors(WIDER | {place: error * 0.1 ** place[1] for place, error in JUMP.items()}))[1]
    assert "less than half, and in every seed, for every target." in text
    assert "jumps" not in text


def test_two_seeds_are_too_few_and_one_width_too_narrow_for_a_verdict():
    text = said("approximation", errors(WIDER, [0, 1]))[1]
    assert r"\pm" not in text
    assert "in every seed" not in text
    assert text.endswith(TOO_FEW)
    narrow = {place: error for place, error in WIDER.items() if place[1] == 4}
    assert "with a single width, what width buys cannot be said" in said("approximation", errors(narrow))[1]


def units(dead: dict[str, list[float]], saturated: float = 0.0, layers=(1, 2), seeds=SEEDS) -> dict[str, pd.DataFrame]:
    values = [
        (activation, seed, layer, saturated, value[seed] * layer, 0.0, 1.0)
        for (activation, value), seed, layer in product(dead.items(), seeds, layers)
    ]
    return {"units": rows(["activation", "seed", "layer", "saturated", "dead", "mean", "std"], *values)}


def test_dead_units_are_ranked_by_activation():
    measured, text = said("unit_health", units({"relu": [0.1, 0.1, 0.1], "tanh": [0, 0, 0]}))
    assert r"units of 6 networks of the study \texttt{activations\_deep}" in measured
    assert r"dead units is that of ReLU, ($15.00 \pm 0.00$)\%, in every seed, the least that of tanh, ($0.00" in text
    assert "No unit is saturated in any of the networks." in text
    assert r"dead units rises from 5.00\% in the first hidden layer to 10.00\% in the last" in text


def test_the_lead_of_an_activation_may_fail_in_a_seed():
    text = said("unit_health", units({"relu": [0.3, 0.3, 0.0], "tanh": [0, 0, 0.1]}, saturated=0.5))[1]
    assert "though only in 2 of 3 seeds" in text
    assert r"The fraction of saturated units, ($50.00 \pm 0.00$)\%, is the same under every activation" in text
    text = said("unit_health", units({"tanh": [0.2]}, seeds=[0], layers=(1,)))[1]
    assert r"Of the units under tanh, $20.00$\% are dead." in text


def test_trainings_without_a_finite_number_say_nothing():
    assert said("four_ways", ways(np.nan, {"numpy": 0.9}, {"numpy": [1.0] * 3}))[1] == NOTHING
    assert said("approximation", errors({("sine", 4, 1): np.inf}))[1] == NOTHING
    assert said("unit_health", {"units": units({"relu": [0.0] * 3})["units"].iloc[:0]})[1] == NOTHING
