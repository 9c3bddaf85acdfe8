"""Learning-rate schedules as pure functions of the optimizer step, equal to torch's schedulers where torch has one.

Each takes `step` (0-based), `total` (optimizer steps of the whole training) and `lr` (the base rate, which
is the peak), and returns the learning rate of that step. All raise `UserError` for values out of range.
"""

from phase2.schedules.compose import Schedule, product, sequence
from phase2.schedules.constant import constant
from phase2.schedules.cosine import cosine
from phase2.schedules.cosine_warmup import cosine_warmup
from phase2.schedules.equal_restarts import equal_restarts
from phase2.schedules.exponential import exponential
from phase2.schedules.inverse_sqrt import inverse_sqrt
from phase2.schedules.linear import linear
from phase2.schedules.linear_warmup import linear_warmup
from phase2.schedules.lr_range import range_test
from phase2.schedules.multi_step import multi_step
from phase2.schedules.one_cycle import one_cycle
from phase2.schedules.one_cycle_momentum import Cycled, one_cycle_momentum
from phase2.schedules.polynomial import polynomial
from phase2.schedules.step import step
from phase2.schedules.triangle import triangle
from phase2.schedules.warm_restarts import warm_restarts
from phase2.schedules.warmup_cosine import warmup_cosine
from phase2.schedules.warmup_stable_decay import warmup_stable_decay

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
    "triangle",
    "warm_restarts",
    "warmup_cosine",
    "warmup_stable_decay",
]
