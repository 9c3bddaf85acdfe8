"""What is left to choose among settings that all work."""

import pandas as pd

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
    schedule, init = (spread(grid, axis) for axis in ("schedule", "init"))
    more = estimate(schedule - init, "points")
    numbers = {"schedule": estimate(schedule, "points"), "init": estimate(init, "points"), "more": more}
    return Evidence(more.above(), **numbers)


def spread(grid: Results, axis: str) -> pd.Series:
    """By how much the best level of an axis is above the worst, seed by seed, averaged over the others."""
    means = grid.cells.groupby(["seed", axis])[grid.validation].mean().unstack()
    return means.max(axis=1) - means.min(axis=1)
