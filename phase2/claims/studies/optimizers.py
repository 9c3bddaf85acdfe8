"""Optimizers, each at its best rate, and at others."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, Verdict, all_of, claim, exact

CARD = ClaimsCard(of="optimizers")


def enclosed(optimizers: Results, *names: str) -> Verdict:
    """Whether the rates tried enclose the best of each of these optimizers."""
    return optimizers.encloses_best("lr", *({"optimizer": name} for name in names))


@claim(exploratory=True)
def adam_wants_a_rate_ten_times_smaller_than_descent(optimizers: Results) -> Evidence:
    """The best rate of plain descent is at least ten times that of Adam."""
    descent, adam = (optimizers.best_level("lr", optimizer=name) for name in ("sgd", "adam"))
    apart = bool(descent >= 9.9 * adam)
    return Evidence(all_of(apart, enclosed(optimizers, "sgd", "adam")), descent=exact(descent), adam=exact(adam))


@claim(exploratory=True)
def momentum_beats_plain_descent_in_a_short_budget(optimizers: Results) -> Evidence:
    """Momentum ends above plain descent on the test images, each at its own best rate."""
    gap = optimizers.at_best("lr").difference("optimizer", "momentum", "sgd")
    return Evidence(all_of(gap.above(), enclosed(optimizers, "momentum", "sgd")), gap=gap)


@claim(exploratory=True)
def tuned_adam_and_tuned_momentum_end_close_together(optimizers: Results) -> Evidence:
    """Adam and momentum end within one point of each other on the test images, each at its own best rate."""
    gap = optimizers.at_best("lr").difference("optimizer", "adam", "momentum")
    return Evidence(all_of(gap.within(0.01), enclosed(optimizers, "adam", "momentum")), gap=gap)


@claim(exploratory=True)
def nesterov_ends_within_a_point_of_momentum(optimizers: Results) -> Evidence:
    """Nesterov's look-ahead ends within one point of plain momentum on the test images, each at its own best rate."""
    gap = optimizers.at_best("lr").difference("optimizer", "nesterov", "momentum")
    return Evidence(all_of(gap.within(0.01), enclosed(optimizers, "nesterov", "momentum")), gap=gap)
