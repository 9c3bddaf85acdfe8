"""One network, four implementations."""

from phase2.claims import Evidence, Results, claim, exact


@claim(seeds=3, exploratory=True)
def four_implementations_have_the_same_gradients(four_ways: Results) -> Evidence:
    """Backpropagation by hand and by a tape, in NumPy and in torch, differ in no gradient of the first step by more
    than 1e-14, in double precision.
    """
    largest = exact(four_ways.table("results")["max_gradient_difference"].max(), n=len(four_ways.seeds))
    return Evidence(largest.below(1e-14), largest=largest)
