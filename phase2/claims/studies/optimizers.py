"""Optimizers, each at its best rate, and at others."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, all_of, claim, exact

CARD = ClaimsCard(of="optimizers")


@claim()
def adam_wants_a_rate_ten_times_smaller_than_descent(optimizers: Results) -> Evidence:
    """The best rate of plain descent is at least ten times that of Adam."""
    descent, adam = (optimizers.best_level("lr", optimizer=name) for name in ("sgd", "adam"))
    return Evidence(bool(descent >= 9.9 * adam), descent=exact(descent), adam=exact(adam))


@claim()
def momentum_beats_plain_descent_in_a_short_budget(optimizers: Results) -> Evidence:
    """Momentum ends above plain descent on the test images, each at the best of the rates tried."""
    gap = optimizers.at_best("lr").difference("optimizer", "momentum", "sgd")
    encloses = optimizers.encloses_best("lr", optimizer="sgd")
    return Evidence(all_of(gap.above(), encloses), gap=gap)


@claim()
def tuned_optimizers_end_close_together(optimizers: Results) -> Evidence:
    """Adam and momentum end within one point of each other on the test images, each at the best of the rates tried."""
    gap = optimizers.at_best("lr").difference("optimizer", "adam", "momentum")
    return Evidence(gap.within(0.01), gap=gap)


@claim()
def nesterov_is_momentum_at_these_rates(optimizers: Results) -> Evidence:
    """Nesterov's look-ahead ends within one point of plain momentum on the test images, each at the best of the rates
    tried.
    """
    gap = optimizers.at_best("lr").difference("optimizer", "nesterov", "momentum")
    return Evidence(gap.within(0.01), gap=gap)
