"""What is left to choose among settings that all work."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, claim

CARD = ClaimsCard(of="mlp_grid")


@claim(seeds=8)
def annealing_a_rate_beats_keeping_it(grid: Results) -> Evidence:
    """From one rate for all, a cosine schedule ends above a constant one, averaged over what else varies."""
    gap = grid.difference("schedule", "cosine", "constant", grid.validation)
    return Evidence(gap.above(), gap=gap)


@claim(seeds=8)
def the_data_driven_start_brings_nothing_over_kaiming(grid: Results) -> Evidence:
    """LSUV and Kaiming's initialization end within half a point of each other, averaged over what else varies."""
    gap = grid.difference("init", "lsuv", "kaiming", grid.validation)
    return Evidence(gap.within(0.005), gap=gap)


@claim(seeds=8)
def gelu_is_no_worse_than_relu(grid: Results) -> Evidence:
    """GELU ends at most half a point below ReLU, averaged over initializations and schedules."""
    gap = grid.difference("activation", "gelu", "relu", grid.validation)
    return Evidence(gap.above(-0.005), gap=gap)


@claim(seeds=8, exploratory=True)
def a_good_start_still_brings_something(grid: Results) -> Evidence:
    """Under a one-cycle schedule LSUV ends above Xavier's initialization, averaged over activations."""
    gap = grid.difference("init", "lsuv", "xavier", grid.validation, schedule="one_cycle")
    return Evidence(gap.above(), gap=gap)
