"""Sharpness under full-batch descent."""

from phase2.claims import Evidence, Results, claim, exact
from phase2.claims.evidence import estimate

NEAR = 0.15  # of 2 / rate


@claim(seeds=3, exploratory=True)
def sharpness_settles_at_two_over_a_large_rate(stability: Results) -> Evidence:
    """At the largest rate the sharpness of the last third of descent is within 15% of two over the rate."""
    rows = stability.table("path").dropna(subset=["sharpness"])
    rows = rows[(rows["lr"] == rows["lr"].max()) & (rows["step"] > 2 / 3 * rows["step"].max())]
    ratios = (rows["sharpness"] * rows["lr"] / 2).groupby(rows["seed"]).mean()
    ratio, furthest = estimate(ratios, "times"), exact((ratios - 1).abs().max(), n=len(ratios))
    return Evidence(furthest.below(NEAR), ratio=ratio, furthest=furthest)
