"""How sharp solutions are."""

import math

import numpy as np

from phase2.claims import Estimate, Evidence, Results, claim
from phase2.claims.evidence import estimate


@claim(exploratory=True)
def large_batches_find_sharper_solutions(curvature: Results) -> Evidence:
    """At one rate and equal epochs solutions of the largest batches are over 1.5 times as sharp as of the least."""
    sharpness = curvature.table("curvature").pivot_table(index="seed", columns="batch_size", values="sharpness")
    ratio = estimate(np.log(sharpness[sharpness.columns.max()] / sharpness[sharpness.columns.min()]))
    told = Estimate(math.exp(ratio.value), math.exp(ratio.low), math.exp(ratio.high), ratio.n, "times")
    return Evidence(ratio.above(math.log(1.5)), ratio=told)
