"""How sharp solutions are."""

import math

import numpy as np

from phase2.claims import Estimate, Evidence, Results, claim
from phase2.claims.evidence import estimate


@claim(exploratory=True)
def large_batches_are_sharper_after_equal_epochs(curvature: Results) -> Evidence:
    """Trained at one rate for equally many epochs and read at the best, networks of the largest batches are over 1.5
    times as sharp as those of the smallest.
    """
    least, most = (f(curvature.table("curvature")["batch_size"]) for f in (min, max))
    sharpness = curvature.table("curvature").pivot_table(index="seed", columns="batch_size", values="sharpness")
    losses = {
        name: estimate(curvature.by_seed("loss", "curvature", batch_size=size), "nats")
        for name, size in (("loss_of_the_least", least), ("loss_of_the_largest", most))
    }
    ratio = estimate(np.log(sharpness[sharpness.columns.max()] / sharpness[sharpness.columns.min()]))
    told = Estimate(math.exp(ratio.value), math.exp(ratio.low), math.exp(ratio.high), ratio.n, "times")
    return Evidence(ratio.above(math.log(1.5)), ratio=told, **losses)
