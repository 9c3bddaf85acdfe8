"""Lookahead: slow weights that follow the fast ones, which are set back to them."""

import torch

from phase2.card import Card, Option
from phase2.errors import UserError
from phase2.train.average import Average
from phase2.train.lanes import Stack

CARD = Card(
    "average",
    "Lookahead",
    label="lookahead",
    definition=r"$\bar\theta \leftarrow \beta \bar\theta + (1 - \beta) \theta$ and $\theta \leftarrow \bar\theta$ "
    "every few steps",
    cites="zhang2019lookahead",
    order=3,
    options={
        "every": Option("steps from one setting back to the next"),
        "decay": Option("the share of the slow weights that each leaves"),
        "power": Option("the decay grows to that with this power of the time; 0: it is that from the start"),
    },
)


class Lookahead(Average):
    """φ ← β φ + (1 - β) θ, and θ ← φ, every `every` steps; Zhang et al. 2019, algorithm 1, with α = 1 - β.

    β is `decay` times (t / T)^`power` after t of T steps: with a power the fast weights are left alone at first, and
    held back towards the end. The optimizer's moments are left as they are. The slow weights φ are judged, with the
    running statistics of the network in training. Raises `UserError` for options out of range.
    """

    def __init__(self, every: int = 5, decay: float = 0.5, power: float = 0.0) -> None:
        if every < 1 or every != int(every):
            raise UserError(f"average.options.every={every}: expected a whole number of steps, 1 or more")
        if not 0 <= decay < 1:
            raise UserError(f"average.options.decay={decay}: expected a number from 0 to below 1, such as 0.5")
        if power < 0:
            raise UserError(f"average.options.power={power}: expected 0 or more")
        self.every, self.decay, self.power = every, decay, power

    def after_step(self, stack: Stack, step: int) -> None:
        if step % self.every:
            return
        self.taken += 1
        self.move(stack, 1 - self.decay * (step / self.steps) ** self.power)
        with torch.no_grad():
            torch._foreach_copy_(list(stack.parameters.values()), list(self.mean.values()))
