"""What layers of trained networks tell."""

from phase2.claims import Evidence, Results, claim
from phase2.claims.evidence import estimate


@claim(exploratory=True)
def training_makes_last_layers_more_readable(features: Results) -> Evidence:
    """In residual networks of 20 layers a linear classifier reads classes off the last map better after training than
    before.
    """
    rows = features.rows("linear_probes", model="cifar_resnet", depth=20)
    last = rows[rows["layer"] == rows["layer"].max()].set_index(["when", "seed"])["accuracy"]
    gap = estimate(last["end"] - last["start"], "points")
    return Evidence(gap.above(), gap=gap)
