"""The sentences on shapes, LSUV and gradient flow: the right numbers, and other sentences for other results."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from said import SEEDS, rows, said

from phase2.report.measured_words import NOTHING, TOO_FEW


def shapes(*values: tuple) -> dict[str, pd.DataFrame]:
    return {"extremes": rows(["activation", "minimum", "argmin", "max_slope", "max_curvature"], *values)}


def test_shapes_name_the_steepest_the_most_curved_and_those_that_dip():
    measured, text = said(
        "activation_shapes", shapes(("relu", 0, -4, 1, 0), ("gelu", -0.17, -0.75, 1.13, 0.8), ("tanh", -1, -4, 1, 0.77))
    )
    assert measured.startswith("A grid of 801 points from $-4$ to $4$")
    assert "The largest slope, $1.13$ in size, is that of GELU; that of ReLU and tanh does not exceed $1$." in text
    assert "$0.8$ in size, is that of GELU; that of ReLU is zero at every point" in text
    assert "Only GELU dips before rising; the deepest minimum, $-0.17$, is GELU's at $-0.75$." in text


def test_equal_slopes_and_straight_lines_are_said_to_be_so():
    text = said("activation_shapes", shapes(("relu", 0, -4, 1, 0), ("leaky_relu", -0.04, -4, 1, 0)))[1]
    assert "The largest slope is $1$ in size, that of ReLU and LeakyReLU." in text
    assert "they bend in corners alone" in text
    assert "None of them has its minimum inside the interval." in text


def convergence(*values: tuple) -> dict[str, pd.DataFrame]:
    return {"convergence": rows(["activation", "seed", "layer", "iteration", "variance"], *values)}


def test_lsuv_that_converges_is_told_from_lsuv_that_does_not():
    start = [("relu", 0, 1, 0, 0.3), ("relu", 0, 2, 0, 1.7), ("tanh", 0, 1, 0, 0.99)]
    text = said("lsuv_convergence", convergence(*start, ("relu", 0, 1, 1, 1.001), ("relu", 0, 2, 1, 1.0)))[1]
    assert "is between $0.3$ and $1.7$" in text
    assert (
        "It leaves every layer within $0.01$ of one, inside its tolerance of $0.02$; farthest is layer 1 under tanh"
        in text
    )
    assert "at most 1 scaling, which 2 of 3 layers needed (under ReLU), and at least 0" in text
    text = said("lsuv_convergence", convergence(*start, ("relu", 0, 1, 1, 0.9), ("relu", 0, 2, 1, 1.0)))[1]
    assert "It leaves 1 of 3 layers outside its tolerance of $0.02$; farthest from one, by $0.1$, is layer 1" in text


@pytest.mark.parametrize(("last", "words"), [(0, "No layer had to be scaled."), (2, "Every layer took 2 scalings.")])
def test_scalings_that_are_the_same_everywhere_are_said_once(last, words):
    values = [("relu", seed, layer, i, 1.0) for seed, layer in product(SEEDS, (1, 2)) for i in range(last + 1)]
    assert words in said("lsuv_convergence", convergence(*values))[1]


def flow(decades: dict[tuple[str, str], float], seeds=SEEDS, layers=(1, 2, 3)) -> dict[str, pd.DataFrame]:
    """Gradients that grow by so many decades from the last layer to the first, a little more with each seed."""
    values = [
        (activation, init, seed, layer, 10.0 ** ((log + 0.1 * seed) * (layers[-1] - layer) / max(1, layers[-1] - 1)))
        for ((activation, init), log), seed, layer in product(decades.items(), seeds, layers)
    ]
    return {"layers": rows(["activation", "init", "seed", "layer", "gradient_norm"], *values)}


def test_gradients_that_change_over_the_depth_are_named_with_the_largest_factors():
    logs = {("relu", "kaiming"): 0.2, ("tanh", "kaiming"): -9, ("relu", "xavier"): 12, ("tanh", "xavier"): 3}
    logs |= {("relu", "lsuv"): 0, ("tanh", "lsuv"): -0.1}
    text = said("gradient_flow", flow(logs))[1]
    assert (
        "more than a factor of 10 with Kaiming (for tanh) and Xavier (for every activation); with LSUV it never" in text
    )
    assert r"shrinks most with Kaiming and tanh, by a factor of $7.9\times10^{8}$ ($6.3\times10^{8}$ to" in text
    assert r"grows most with Xavier and ReLU, by a factor of $1.3\times10^{12}$" in text
    assert TOO_FEW not in text


def test_gradients_that_keep_their_norm_are_said_to():
    text = said("gradient_flow", flow({("relu", "kaiming"): 0.2, ("relu", "xavier"): 0.5}, [0]))[1]
    assert "changes by a factor of 10 at most, whatever the initialization" in text
    assert "shrinks" not in text
    assert "grows most with Xavier and ReLU, by a factor of $3.16$; factors" in text
    assert text.endswith(TOO_FEW)


def test_gradients_that_vanish_or_overflow_are_counted():
    tables = flow({("relu", "kaiming"): 0.0, ("tanh", "kaiming"): 0.0, ("tanh", "xavier"): 0.0})
    layers = tables["layers"]
    layers.loc[(layers.layer == 1) & (layers.activation == "tanh") & (layers.init == "kaiming"), "gradient_norm"] = 0
    layers.loc[(layers.layer == 3) & (layers.init == "xavier") & (layers.seed == 0), "gradient_norm"] = np.nan
    text = said("gradient_flow", tables)[1]
    assert "a factor of 10, or is lost, with Kaiming (for tanh) and Xavier (for every activation)" in text
    assert "In 4 of 9 networks it is zero or beyond a float" in text


def test_a_single_hidden_layer_has_no_depth():
    assert "no depth over which" in said("gradient_flow", flow({("relu", "kaiming"): 0.0}, layers=(1,)))[1]


def test_signals_without_a_finite_number_say_nothing():
    assert said("activation_shapes", shapes(("relu", np.nan, np.nan, np.nan, np.nan)))[1] == NOTHING
    assert said("lsuv_convergence", convergence(("relu", 0, 1, 0, np.nan)))[1] == NOTHING
    assert said("gradient_flow", {"layers": flow({("relu", "kaiming"): 0.0})["layers"].iloc[:0]})[1] == NOTHING
