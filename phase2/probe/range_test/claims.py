"""Rates that optimizers bear."""

import numpy as np

from phase2.claims import Evidence, Results, claim
from phase2.claims.evidence import estimate


@claim(exploratory=True)
def rmsprop_breaks_out_at_smaller_rates_than_descent(range_test: Results) -> Evidence:
    """The rate at which RMSprop's loss breaks out is at least ten times smaller than that of plain descent."""
    rates = range_test.table("suggestions").set_index(["optimizer", "seed"])["breakout"]
    factor = estimate(np.log10(rates["sgd"] / rates["rmsprop"]), "orders of magnitude")
    return Evidence(factor.above(1), factor=factor)
