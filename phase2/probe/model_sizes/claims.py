"""Networks with the sizes of the papers."""

from phase2.claims import Evidence, Results, claim, exact


@claim(seeds=0, exploratory=True)
def residual_networks_have_the_published_sizes(model_sizes: Results) -> Evidence:
    """Each residual network for CIFAR has as many parameters as the paper that introduced it counts, to within 2%."""
    sizes = model_sizes.table("sizes").dropna(subset=["published_parameters"])
    off = exact((sizes["parameters"] / sizes["published_parameters"] - 1).abs().max(), "%")
    return Evidence(off.below(0.02), off=off)
