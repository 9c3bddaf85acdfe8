"""How LSUV converges."""

from phase2.claims import Evidence, Results, claim, exact


@claim(seeds=3, exploratory=True)
def lsuv_leaves_every_layer_at_unit_variance(lsuv: Results) -> Evidence:
    """After LSUV the variance of each layer's outputs is within 5% of one, whatever the activation."""
    last = (
        lsuv.table("convergence").sort_values("iteration").groupby(["activation", "seed", "layer"])["variance"].last()
    )
    largest = exact((last - 1).abs().max(), n=len(lsuv.seeds))
    return Evidence(largest.below(0.05), largest=largest)
