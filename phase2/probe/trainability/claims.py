"""What trains, and what theory says would."""

import numpy as np
import pandas as pd

from phase2.claims import Evidence, Results, claim
from phase2.claims.evidence import estimate

LEARNT = 0.5  # accuracy: half of the images right


def share_that_learnt(trainability: Results, least: float, most: float) -> pd.Series:
    """Which share learns of the networks whose depth is between these multiples of theory's depth scale, by seed."""
    rows, scales = trainability.table("trained"), trainability.table("theory").groupby("activation")
    scale = pd.Series(np.nan, index=rows.index)
    for activation, of in scales:
        here = rows["activation"] == activation
        scale[here] = np.interp(rows["weight_std"][here], of["weight_std"], of["depth_scale"])
    rows = rows[(rows["depth"] / scale).between(least, most)]
    return (rows["accuracy"] > LEARNT).groupby(rows["seed"]).mean()


@claim()
def networks_much_deeper_than_theory_allows_do_not_learn(trainability: Results) -> Evidence:
    """Of networks deeper than 12 depth scales of mean-field theory, fewer than one in ten gets half of its training
    images right.
    """
    learnt = estimate(share_that_learnt(trainability, 12, np.inf), "%")
    return Evidence(learnt.below(0.1), learnt=learnt)


@claim()
def networks_within_theory_s_depth_learn(trainability: Results) -> Evidence:
    """Of networks no deeper than 3 depth scales of mean-field theory, more than nine in ten get half of their training
    images right.
    """
    learnt = estimate(share_that_learnt(trainability, 0, 3), "%")
    return Evidence(learnt.above(0.9), learnt=learnt)
