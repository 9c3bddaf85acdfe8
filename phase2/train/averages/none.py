"""No average: the weights themselves are judged."""

from phase2.card import Card
from phase2.train.average import Average
from phase2.train.lanes import Stack

CARD = Card("average", "NoAverage", label="none", definition="the weights of the last step", order=1)


class NoAverage(Average):
    """The weights as they are."""

    def start(self, stack: Stack, steps: int, epochs: int) -> None:
        self.mean = {}

    def after_step(self, stack: Stack, step: int) -> None:
        return

    def judged(self, stack: Stack) -> Stack:
        return stack
