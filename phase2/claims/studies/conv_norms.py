"""Normalizations of a convolutional network."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, claim

CARD = ClaimsCard(of="conv_norms")


@claim(images=10_000, steps=1000)
def batch_norm_helps_a_convolutional_network(conv_norms: Results) -> Evidence:
    """BatchNorm raises the test accuracy over no normalization, each at the best of the rates tried."""
    gap = conv_norms.at_best("lr").difference("norm", "batch", "none")
    return Evidence(gap.above(), gap=gap)


@claim(images=10_000, steps=1000)
def group_norm_does_what_batch_norm_does(conv_norms: Results) -> Evidence:
    """GroupNorm ends within 1.5 points of BatchNorm on the test images, each at the best of the rates tried."""
    gap = conv_norms.at_best("lr").difference("norm", "group", "batch")
    return Evidence(gap.within(0.015), gap=gap)
