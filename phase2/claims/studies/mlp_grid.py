"""What is left to choose among settings that all work."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, claim
from phase2.claims.evidence import estimate

CARD = ClaimsCard(of="mlp_grid")


@claim(seeds=8)
def annealing_the_rate_beats_keeping_it(grid: Results) -> Evidence:
    """A cosine schedule ends above a constant rate, averaged over activations and initializations."""
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


@claim(seeds=8)
def the_schedule_matters_more_than_the_initialization(grid: Results) -> Evidence:
    """Between the best and the worst schedule lies more than between the best and the worst working initialization."""
    means = {
        axis: grid.cells.groupby(["seed", axis])[grid.validation].mean().unstack() for axis in ("schedule", "init")
    }
    schedule, init = (estimate(table.max(axis=1) - table.min(axis=1), "points") for table in means.values())
    spread = {axis: table.max(axis=1) - table.min(axis=1) for axis, table in means.items()}
    gap = estimate(spread["schedule"] - spread["init"], "points")
    return Evidence(gap.above(), schedule=schedule, init=init, gap=gap)
