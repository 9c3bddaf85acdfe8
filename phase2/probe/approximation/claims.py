"""How near networks come to a function."""

import math

from phase2.claims import Evidence, Results, claim
from phase2.claims.evidence import estimate


@claim(exploratory=True)
def width_brings_a_smooth_function_nearer_everywhere(approximation: Results) -> Evidence:
    """The largest error of networks of two layers on a sine falls more than tenfold from 4 to 64 units a layer."""
    narrow, wide = (
        approximation.by_seed("sup_error", "errors", target="sine", depth=2, width=width) for width in (4, 64)
    )
    orders = estimate((wide / narrow).map(math.log10), "orders of magnitude")
    return Evidence(orders.below(-1), orders=orders)
