"""What trains, and what theory says would."""

import numpy as np
import pandas as pd

from phase2.claims import Evidence, Results, all_of, claim
from phase2.claims.evidence import estimate

LEARNT = 0.5  # accuracy: half of the images right


def share_that_learnt(trainability: Results, least: float, most: float, **where: str) -> pd.Series:
    """Which share learns of the networks whose depth is between these multiples of theory's depth scale, by seed."""
    rows, scales = trainability.rows("trained", **where), trainability.rows("theory", **where).groupby("activation")
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


@claim(exploratory=True)
def tanh_networks_within_their_depth_learn(trainability: Results) -> Evidence:
    """Of tanh networks no deeper than 3 depth scales of mean-field theory, more than nine in ten get half of their
    training images right; of ReLU networks fewer do.
    """
    shares = {name: share_that_learnt(trainability, 0, 3, activation=name) for name in ("tanh", "relu")}
    tanh, relu = (estimate(share, "%") for share in shares.values())
    gap = estimate(shares["tanh"] - shares["relu"], "points")
    return Evidence(all_of(tanh.above(0.9), gap.above()), tanh=tanh, relu=relu, gap=gap)
