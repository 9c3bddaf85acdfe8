"""Stochastic weight averaging: the plain mean of the weights at the ends of the last epochs."""

from phase2.card import Card, Option
from phase2.errors import UserError
from phase2.train.average import Average
from phase2.train.lanes import Stack

CARD = Card(
    "average",
    "Swa",
    label="SWA",
    definition="the mean of the weights at the ends of the last epochs",
    cites="izmailov2018",
    order=4,
    options={"start": Option("the share of the epochs after which the weights are averaged")},
)


class Swa(Average):
    """θ̄ = the mean of θ after each epoch that ends after the share `start` of all; until then θ itself is judged.

    Izmailov et al. 2018, algorithm 1. The running statistics are measured anew with θ̄, over the training part as it is
    stored. Raises `UserError` for a start outside [0, 1).
    """

    reestimated = True

    def __init__(self, start: float = 0.75) -> None:
        if not 0 <= start < 1:
            raise UserError(f"average.options.start={start}: expected a share of the epochs from 0 to below 1")
        self.begins = start

    def after_step(self, stack: Stack, step: int) -> None:
        return

    def after_epoch(self, stack: Stack, epoch: int) -> None:
        if epoch > self.begins * self.epochs:
            self.taken += 1
            self.move(stack, 1 / self.taken)

    def judged(self, stack: Stack) -> Stack:
        return super().judged(stack) if self.taken else stack
