"""Warm restarts."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, claim
from phase2.claims.evidence import estimate

CARD = ClaimsCard(of="restarts")


@claim(exploratory=True)
def the_last_restart_costs_loss_at_a_high_rate(restarts: Results) -> Evidence:
    """In the epoch after the last restart, at a rate of 0.1, the validation loss is higher than before it."""
    before, after = (
        restarts.by_seed("loss", "curves", split="val", schedule="warm_restarts", lr=0.1, epoch=epoch)
        for epoch in (3, 4)
    )
    jump = estimate(after - before, "nats")
    return Evidence(jump.above(), jump=jump)


@claim()
def restarts_end_where_one_cosine_does(restarts: Results) -> Evidence:
    """Warm restarts end within one point of a single cosine on the test images, each at the best of the rates tried."""
    gap = restarts.at_best("lr").difference("schedule", "warm_restarts", "cosine")
    return Evidence(gap.within(0.01), gap=gap)
