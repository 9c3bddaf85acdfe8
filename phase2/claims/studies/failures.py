"""Where training fails: depth, initialization and learning rate."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, all_of, claim

CARD = ClaimsCard(of="failures")


LEARNT = 0.5  # accuracy: half of the images right


@claim(beats_linear=False, exploratory=True)
def tiny_weights_stop_networks_of_sixteen_layers(failures: Results) -> Evidence:
    """With weights of standard deviation 0.01, no network of 16 layers gets half of the images right."""
    learnt = failures.share_above(LEARNT, init="normal_small", depth=16)
    return Evidence(learnt.below(0.01), learnt=learnt)


@claim(beats_linear=False, exploratory=True)
def shallow_networks_learn_from_scaled_starts(failures: Results) -> Evidence:
    """With Xavier's or Kaiming's initialization, 2 layers get over half of the images right at rates of 0.003 and
    0.03.
    """
    learnt = failures.share_above(LEARNT, init=["xavier", "kaiming"], depth=2, lr=[0.003, 0.03])
    return Evidence(learnt.above(0.99), learnt=learnt)


@claim(beats_linear=False, exploratory=True)
def kaiming_starts_sixteen_rectifier_layers_better_than_xavier(failures: Results) -> Evidence:
    """In ReLU networks of 16 layers a start by Kaiming's rule ends above one by Xavier's, each at the best of the
    rates tried.
    """
    best = failures.at_best("lr")
    gap = best.difference("init", "kaiming", "xavier", best.validation, activation="relu", depth=16)
    return Evidence(gap.above(), gap=gap)


@claim(beats_linear=False, exploratory=True)
def depth_takes_rates_away(failures: Results) -> Evidence:
    """At a rate of 0.03, from Kaiming's start, all networks of 2 layers get half of the images right, and not half of
    those of 16.
    """
    shallow, deep = (failures.share_above(LEARNT, init="kaiming", lr=0.03, depth=depth) for depth in (2, 16))
    return Evidence(all_of(shallow.above(0.99), deep.below(0.5)), shallow=shallow, deep=deep)


@claim(beats_linear=False, exploratory=True)
def weights_that_make_rectifiers_overflow_do_not_make_tanh(failures: Results) -> Evidence:
    """From weights of standard deviation 1, every ReLU network of 16 layers diverges, and no tanh network does."""
    relu, tanh = (
        failures.share_finished(activation=activation, init="normal_large", depth=16) for activation in ("relu", "tanh")
    )
    return Evidence(all_of(relu.below(0.01), tanh.above(0.99)), finished_relu=relu, finished_tanh=tanh)
