"""Clipping the gradient."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, all_of, claim

CARD = ClaimsCard(of="clipping")


LEARNT = 0.5  # accuracy: half of the images right


@claim(beats_linear=False, exploratory=True)
def a_low_limit_saves_a_rate_that_breaks_training(clipping: Results) -> Evidence:
    """At a rate of 1 no unclipped network gets half of the images right; all with gradients of norm 0.1 at most do."""
    free, high, low = (clipping.share_above(LEARNT, lr=1.0, clip=clip) for clip in ("none", "1.0", "0.1"))
    return Evidence(all_of(free.below(0.01), low.above(0.99)), unclipped=free, limit_1=high, limit_tenth=low)


@claim(exploratory=True)
def a_high_limit_costs_little_where_nothing_breaks(clipping: Results) -> Evidence:
    """At a rate of 0.02 clipping to a norm of 1 lowers the validation accuracy by less than two points."""
    high, low = (clipping.difference("clip", clip, "none", clipping.validation, lr=0.02) for clip in ("1.0", "0.1"))
    return Evidence(high.above(-0.02), limit_1=high, limit_tenth=low)
