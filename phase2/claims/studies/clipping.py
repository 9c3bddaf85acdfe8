"""Clipping the gradient."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, all_of, claim

CARD = ClaimsCard(of="clipping")


LEARNT = 0.5  # accuracy: half of the images right


@claim(beats_linear=False, exploratory=True)
def clipping_saves_a_rate_that_breaks_training(clipping: Results) -> Evidence:
    """At a rate of 1 no unclipped network gets half of the images right; all with gradients of norm 0.1 at most do."""
    free, clipped = (clipping.share_above(LEARNT, lr=1.0, clip=clip) for clip in ("none", "0.1"))
    return Evidence(all_of(free.below(0.01), clipped.above(0.99)), free=free, clipped=clipped)


@claim(exploratory=True)
def clipping_costs_little_where_nothing_breaks(clipping: Results) -> Evidence:
    """At a rate of 0.02 clipping to a norm of 1 lowers the validation accuracy by less than two points."""
    gap = clipping.difference("clip", "1.0", "none", clipping.validation, lr=0.02)
    return Evidence(gap.above(-0.02), gap=gap)
