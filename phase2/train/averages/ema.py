"""The exponential moving average of the weights."""

from phase2.card import Card, Option
from phase2.errors import UserError
from phase2.train.average import Average
from phase2.train.lanes import Stack

CARD = Card(
    "average",
    "Ema",
    label="EMA",
    definition=r"$\bar\theta \leftarrow \beta \bar\theta + (1 - \beta) \theta$ after each step",
    cites="polyak1992",
    order=2,
    options={"decay": Option("the share of the average that each step leaves")},
)


class Ema(Average):
    """θ̄ ← β θ̄ + (1 - β) θ after each step, with β = `decay`, from θ̄ = θ after the first.

    As `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn`. Raises `UserError` for a decay outside [0, 1).
    """

    def __init__(self, decay: float = 0.999) -> None:
        if not 0 <= decay < 1:
            raise UserError(f"average.options.decay={decay}: expected a number from 0 to below 1, such as 0.999")
        self.decay = decay

    def after_step(self, stack: Stack, step: int) -> None:
        self.move(stack, 1 - self.decay if self.taken else 1.0)
        self.taken += 1
