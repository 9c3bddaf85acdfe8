"""What dropout says of unfamiliar inputs."""

from phase2.claims import Evidence, Results, claim
from phase2.claims.evidence import estimate


@claim(exploratory=True)
def masks_tell_the_unfamiliar_better_than_the_largest_probability(uncertainty: Results) -> Evidence:
    """Mutual information over dropout's masks tells images of another data set better, by the area under the ROC curve,
    than the network's largest probability does.
    """
    scores = uncertainty.rows("detection", kind="unfamiliar").set_index(["score", "seed"])["auroc"]
    masks, plain = estimate(scores["mutual_information"]), estimate(scores["max_probability"])
    gap = estimate(scores["mutual_information"] - scores["max_probability"])
    return Evidence(gap.above(), area_masks=masks, area_plain=plain, gap=gap)


@claim()
def dropouts_scaling_matters_at_inference(uncertainty: Results) -> Evidence:
    """Without dropout's scaling at inference the network of rate 0.5 is worse calibrated than with it."""
    rows = uncertainty.rows("inference", dropout=0.5).set_index(["method", "seed"])["ece"]
    gap = estimate(rows["unscaled"] - rows["deterministic"], "points")
    return Evidence(gap.above(), gap=gap)
