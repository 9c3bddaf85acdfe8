"""Weight decay, in the gradient and decoupled."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, claim, exact

CARD = ClaimsCard(of="weight_decay")


@claim()
def decoupled_decay_wants_larger_values(weight_decay: Results) -> Evidence:
    """At a rate of 0.001 the best decay is at least ten times larger for AdamW than for Adam with an L2 penalty."""
    penalty, decoupled = (
        weight_decay.best_level("weight_decay", optimizer=name, lr=0.001) for name in ("adam", "adamw")
    )
    return Evidence(bool(decoupled >= 9.9 * penalty), penalty=exact(penalty), decoupled=exact(decoupled))


@claim()
def adam_does_not_bear_the_decay_that_adamw_does(weight_decay: Results) -> Evidence:
    """With a decay of 0.1 at a rate of 0.001, AdamW ends more than 2 points above Adam with an L2 penalty."""
    gap = weight_decay.difference("optimizer", "adamw", "adam", weight_decay.validation, weight_decay=0.1, lr=0.001)
    return Evidence(gap.above(0.02), gap=gap)
