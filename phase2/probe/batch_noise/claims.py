"""The noise of BatchNorm."""

from phase2.claims import Evidence, Results, claim
from phase2.claims.evidence import estimate


@claim(exploratory=True)
def the_noise_of_a_batch_falls_as_one_over_its_size(batch_noise: Results) -> Evidence:
    """The variance of a batch's mean falls with the batch size to the power -1, to within 0.05."""
    powers = batch_noise.powers("batch_size", "measured", "noise", quantity="mean")
    power, off = estimate(powers), estimate(powers + 1)
    return Evidence(off.within(0.05), power=power)
