"""Weight decay, in the gradient and decoupled."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, all_of, claim

CARD = ClaimsCard(of="weight_decay")


@claim(exploratory=True)
def adamw_bears_a_decay_that_ruins_adam(weight_decay: Results) -> Evidence:
    """At a rate of 0.001 a decay of 1 in place of 0.001 costs AdamW at most a point, and Adam with L2 over 15."""
    penalty, decoupled = (
        weight_decay.difference("weight_decay", 1.0, 0.001, weight_decay.validation, optimizer=name, lr=0.001)
        for name in ("adam", "adamw")
    )
    return Evidence(all_of(decoupled.above(-0.01), penalty.below(-0.15)), penalty=penalty, decoupled=decoupled)


@claim(exploratory=True)
def adam_does_not_bear_the_decay_that_adamw_does(weight_decay: Results) -> Evidence:
    """With a decay of 0.1 at a rate of 0.001, AdamW ends more than 1 point above Adam with an L2 penalty."""
    gap = weight_decay.difference("optimizer", "adamw", "adam", weight_decay.validation, weight_decay=0.1, lr=0.001)
    return Evidence(gap.above(0.01), gap=gap)
