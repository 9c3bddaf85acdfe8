"""How much dropout a network that overfits wants."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, all_of, claim

CARD = ClaimsCard(of="dropout_rates")


@claim()
def without_dropout_the_images_are_learnt_by_heart(dropout_rates: Results) -> Evidence:
    """Without dropout the network gets more than 99% of its training images right, and less than 86% of new ones."""
    train = dropout_rates.mean("train_accuracy", "%", dropout=0.0)
    new = dropout_rates.mean(dropout_rates.validation, "%", dropout=0.0)
    return Evidence(all_of(train.above(0.99), new.below(0.86)), train=train, new=new)


@claim()
def some_dropout_helps_a_network_that_overfits(dropout_rates: Results) -> Evidence:
    """Dropout of 0.3 raises the validation accuracy over none."""
    gap = dropout_rates.difference("dropout", 0.3, 0.0, dropout_rates.validation)
    return Evidence(gap.above(), gap=gap)


@claim()
def dropout_lowers_the_loss_of_what_overfits(dropout_rates: Results) -> Evidence:
    """Dropout of 0.5 lowers the validation loss by more than 0.05 nats: what overfits is too sure of itself."""
    gap = dropout_rates.difference("dropout", 0.5, 0.0, "val_loss", "nats")
    return Evidence(gap.below(-0.05), gap=gap)
