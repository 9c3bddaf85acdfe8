"""The tangent kernel."""

from phase2.claims import Evidence, Results, claim
from phase2.claims.evidence import estimate


@claim(exploratory=True)
def the_tangent_kernel_converges_with_width(kernel_regime: Results) -> Evidence:
    """The distance of ReLU's tangent kernel from its limit falls with the width to a power between -0.25 and -0.75."""
    powers = kernel_regime.powers("width", "ntk_error", "convergence", activation="relu")
    power, off = estimate(powers), estimate(powers + 0.5)
    return Evidence(off.within(0.25), power=power)


@claim(exploratory=True)
def the_infinite_kernel_beats_a_short_training(kernel_regime: Results) -> Evidence:
    """Regression by ReLU's kernel of infinite width is more accurate on new images than the network after its few steps
    of descent.
    """
    rows = {"table": "regression", "activation": "relu"}
    kernel = kernel_regime.by_seed("test_accuracy", method="ntk_infinite", **rows)
    network = kernel_regime.by_seed("test_accuracy", method="network", **rows)
    gap = estimate(kernel - network, "points")
    return Evidence(gap.above(), gap=gap)
