"""The Transformer's rise and fall."""

import math

from phase2.card import Card
from phase2.schedules.warming import warmup_of

CARD = Card(
    "schedule",
    "inverse_sqrt",
    label="inverse square root",
    definition=r"$\eta \min(n/w, \sqrt{w/n})$ at step $n = t + 1$, $w = T/10$",
    cites="vaswani2017",
    order=15,
)


def inverse_sqrt(step: int, total: int, lr: float, *, warmup_steps: int | None = None) -> float:
    """Straight from 0 to lr, reached at the last of `warmup_steps`; then lr falls with the root of the step number.

    Vaswani et al. 2017, eq. 3, with lr in place of (d_model warmup_steps)^-1/2. The paper counts steps from 1.
    """
    warmup_steps = warmup_of(step, total, lr, warmup_steps)
    return lr * min((step + 1) / warmup_steps, math.sqrt(warmup_steps / (step + 1)))
