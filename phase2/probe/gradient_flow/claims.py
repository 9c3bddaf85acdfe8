"""Signals and gradients at initialization."""

import math

import pandas as pd

from phase2.claims import Evidence, Results, claim, exact


@claim(seeds=3, exploratory=True)
def kaiming_keeps_the_gradients_of_rectifiers(gradient_flow: Results) -> Evidence:
    """In ReLU networks started by Kaiming's rule gradients change by less than a factor of 10 on their way."""
    orders = exact(change(gradient_flow, "kaiming").abs().max(), "orders of magnitude", len(gradient_flow.seeds))
    return Evidence(orders.below(1), orders=orders)


@claim(seeds=3, exploratory=True)
def tiny_weights_take_all_gradients_away(gradient_flow: Results) -> Evidence:
    """In ReLU networks with weights of standard deviation 0.01 gradients lose over eight orders of magnitude."""
    orders = exact(change(gradient_flow, "normal_small").max(), "orders of magnitude", len(gradient_flow.seeds))
    return Evidence(orders.below(-8), orders=orders)


def change(gradient_flow: Results, init: str) -> pd.Series:
    """The change of ReLU's gradient norm from the last layer to the first, in orders of magnitude, seed by seed."""
    rows = gradient_flow.rows("layers", activation="relu", init=init).sort_values("layer")
    norms = rows.groupby("seed")["gradient_norm"]
    return (norms.first() / norms.last()).map(math.log10)
