"""What schedules gain in short and in long budgets."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, claim

CARD = ClaimsCard(of="schedules")


@claim()
def annealing_pays_in_a_long_budget(schedules: Results) -> Evidence:
    """From one rate for all, after 10 epochs a cosine schedule is above a constant one."""
    gap = schedules.difference("schedule", "cosine", "constant", schedules.validation, epochs=10)
    return Evidence(gap.above(), gap=gap)


@claim()
def annealing_pays_in_a_single_epoch_too(schedules: Results) -> Evidence:
    """From one rate for all, after a single epoch a linear schedule is above a constant one."""
    gap = schedules.difference("schedule", "linear", "constant", schedules.validation, epochs=1)
    return Evidence(gap.above(), gap=gap)


@claim()
def cosine_and_linear_are_one_in_practice(schedules: Results) -> Evidence:
    """From one rate for all, after 10 epochs cosine and linear schedules are within half a point of each other."""
    gap = schedules.difference("schedule", "cosine", "linear", schedules.validation, epochs=10)
    return Evidence(gap.within(0.005), gap=gap)
