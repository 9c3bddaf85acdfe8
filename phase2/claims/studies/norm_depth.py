"""What normalization gives to deep and to shallow networks."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, all_of, claim

CARD = ClaimsCard(of="norm_depth")


@claim(exploratory=True)
def normalization_makes_sixteen_layers_trainable(norm_depth: Results) -> Evidence:
    """With 16 layers, BatchNorm and LayerNorm end more than 3 points above no normalization on the test images, each at
    the best of the rates tried.
    """
    best = norm_depth.at_best("lr")
    batch, layer = (best.difference("norm", norm, "none", depth=16) for norm in ("batch", "layer"))
    return Evidence(all_of(batch.above(0.03), layer.above(0.03)), batch=batch, layer=layer)


@claim()
def a_shallow_network_needs_no_normalization(norm_depth: Results) -> Evidence:
    """With 2 layers, BatchNorm and LayerNorm change the test accuracy by less than one point and a half."""
    best = norm_depth.at_best("lr")
    batch, layer = (best.difference("norm", norm, "none", depth=2) for norm in ("batch", "layer"))
    return Evidence(all_of(batch.within(0.015), layer.within(0.015)), batch=batch, layer=layer)


@claim(exploratory=True)
def sixteen_layers_cost_accuracy_in_this_budget(norm_depth: Results) -> Evidence:
    """With BatchNorm, 16 layers end more than 3 points below 2 on the test images, each at the best of the rates
    tried.
    """
    gap = norm_depth.at_best("lr").difference("depth", 16, 2, norm="batch")
    return Evidence(gap.below(-0.03), gap=gap)
