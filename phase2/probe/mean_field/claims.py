"""Wide random networks and the theory of them."""

from phase2.claims import Evidence, Results, claim
from phase2.claims.evidence import estimate


@claim()
def theory_predicts_the_growth_of_gradients(mean_field: Results) -> Evidence:
    """Mean-field theory predicts the growth of gradients a layer, in logarithms to within 0.1 on the average."""
    rows = mean_field.table("phase")
    error = (rows["measured_growth"] - rows["predicted_growth"]).abs()
    error = error[rows["predicted_growth"].notna() & rows["measured_growth"].notna()]
    off = estimate(error.groupby(rows["seed"]).mean())
    return Evidence(off.below(0.1), off=off)
