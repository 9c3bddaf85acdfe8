"""What a unit sees."""

from phase2.claims import Evidence, Results, claim
from phase2.claims.evidence import estimate


@claim(exploratory=True)
def what_a_unit_uses_grows_as_the_root_of_depth(receptive_field: Results) -> Evidence:
    """At the start, in stacks of convolutions with ReLU and stride 1, the width of a unit's effective field grows with
    depth to a power of 0.5, to within 0.05.
    """
    powers = receptive_field.powers("depth", "sigma", "growth", variant="relu")
    power, off = estimate(powers), estimate(powers - 0.5)
    return Evidence(off.within(0.05), power=power)
