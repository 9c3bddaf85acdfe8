"""Learning-rate schedules as pure functions of the optimizer step, equal to torch's schedulers where torch has one.

Each takes `step` (0-based), `total` (optimizer steps of the whole training) and `lr` (the base rate, which
is the peak), and returns the learning rate of that step. All raise `UserError` for values out of range.
"""

from phase2.schedules.compose import Schedule, product, sequence
from phase2.schedules.cosine import Cycled, cosine, equal_restarts, one_cycle, one_cycle_momentum, warm_restarts
from phase2.schedules.decay import constant, exponential, linear, multi_step, polynomial, step
from phase2.schedules.range_test import range_test
from phase2.schedules.warmup import cosine_warmup, inverse_sqrt, linear_warmup, warmup_cosine, warmup_stable_decay

__all__ = [
    "Cycled",
    "Schedule",
    "constant",
    "cosine",
    "cosine_warmup",
    "equal_restarts",
    "exponential",
    "inverse_sqrt",
    "linear",
    "linear_warmup",
    "multi_step",
    "one_cycle",
    "one_cycle_momentum",
    "polynomial",
    "product",
    "range_test",
    "sequence",
    "step",
    "warm_restarts",
    "warmup_cosine",
    "warmup_stable_decay",
]
