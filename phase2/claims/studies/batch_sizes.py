"""Large batches, at equal epochs and at equal steps."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, Verdict, all_of, claim, exact
from phase2.claims.evidence import estimate

CARD = ClaimsCard(of="batch_sizes")


STEPS = {64: 2, 1024: 32}  # epochs that make equally many steps of each batch


def enclosed(batch_sizes: Results, epochs: dict[int, int]) -> Verdict:
    """Whether the rates tried enclose the best of each size of batch, after its epochs."""
    return batch_sizes.encloses_best("lr", *({"batch_size": size, "epochs": each} for size, each in epochs.items()))


@claim(exploratory=True)
def large_batches_cost_accuracy_at_equal_epochs(batch_sizes: Results) -> Evidence:
    """After 2 epochs batches of 1024 end below batches of 64 on the test images, each at its own best rate."""
    gap = batch_sizes.at_best("lr").difference("batch_size", 1024, 64, epochs=2)
    return Evidence(all_of(gap.below(), enclosed(batch_sizes, {64: 2, 1024: 2})), gap=gap)


@claim(exploratory=True)
def large_batches_gain_at_equal_steps(batch_sizes: Results) -> Evidence:
    """In 64 steps batches of 1024 end above batches of 64 on the test images, each at its own best rate."""
    best = batch_sizes.at_best("lr")
    small, large = (best.by_seed(best.test, batch_size=size, epochs=epochs) for size, epochs in STEPS.items())
    gap = estimate(large - small, "points")
    return Evidence(all_of(gap.above(), enclosed(batch_sizes, STEPS)), gap=gap)


@claim(exploratory=True)
def larger_batches_bear_larger_rates(batch_sizes: Results) -> Evidence:
    """After 8 epochs the best rate of batches of 1024 is at least twice that of batches of 64."""
    small, large = (batch_sizes.best_level("lr", batch_size=size, epochs=8) for size in (64, 1024))
    larger = all_of(bool(large >= 2 * small), enclosed(batch_sizes, {64: 8, 1024: 8}))
    return Evidence(larger, small=exact(small), large=exact(large))
