"""Signals and gradients at initialization."""

import math

import pandas as pd

from phase2.claims import Estimate, Evidence, Results, claim, exact


@claim(seeds=3, exploratory=True)
def kaiming_keeps_the_gradients_of_rectifiers(gradient_flow: Results) -> Evidence:
    """In ReLU networks started by Kaiming's rule, gradients with respect to layers' outputs change by less than a
    factor of 10 from the last layer to the first, at every seed.
    """
    most = exact(change(gradient_flow, "kaiming").abs().max(), "orders of magnitude", len(gradient_flow.seeds))
    return Evidence(most.below(1), most=most, layers=layers(gradient_flow))


@claim(seeds=3, exploratory=True)
def tiny_weights_take_all_gradients_away(gradient_flow: Results) -> Evidence:
    """In ReLU networks with weights of standard deviation 0.01, gradients with respect to layers' outputs lose over
    eight orders of magnitude from the last layer to the first, at every seed.
    """
    least = exact(change(gradient_flow, "normal_small").max(), "orders of magnitude", len(gradient_flow.seeds))
    return Evidence(least.below(-8), least=least, layers=layers(gradient_flow))


def layers(gradient_flow: Results) -> Estimate:
    """How many there are."""
    return exact(int(gradient_flow.table("layers")["layer"].max()))


def change(gradient_flow: Results, init: str) -> pd.Series:
    """The change of ReLU's gradient norm from the last layer to the first, in orders of magnitude, seed by seed."""
    rows = gradient_flow.rows("layers", activation="relu", init=init).sort_values("layer")
    norms = rows.groupby("seed")["gradient_norm"]
    return (norms.first() / norms.last()).map(math.log10)
