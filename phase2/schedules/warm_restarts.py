"""Half cosines, each longer than the one before."""

from phase2.card import Card
from phase2.schedules.anneal import anneal
from phase2.schedules.check import check_positive, check_range, check_training

CARD = Card(
    "schedule",
    "warm_restarts",
    label="warm restarts",
    definition=(
        r"$\eta\,(1 + \cos \pi v)/2$, $v$ the part done of the current period; three periods, "
        "each twice as long as the one before"
    ),
    cites="loshchilov2017",
    order=8,
)


def warm_restarts(
    step: int, total: int, lr: float, *, T_0: int | None = None, T_mult: int = 2, eta_min: float = 0.0
) -> float:
    """Cosine periods of T_0 (default: total / 7, rounded up), T_0 T_mult, ... steps, each from lr to eta_min.

    With the defaults three periods, 1 + 2 + 4 sevenths, fill the training. SGDR: Loshchilov & Hutter 2017,
    eq. 5; torch's CosineAnnealingWarmRestarts.
    """
    T_0 = -(-total // 7) if T_0 is None else T_0  # rounded down, the last steps would restart once more
    check_training(step, total, lr)
    check_positive(T_0=T_0, T_mult=T_mult)
    check_range(0, lr, eta_min=eta_min)
    T_cur, T_i = (step % T_0, T_0) if T_mult == 1 else (step, T_0)
    while T_cur >= T_i:
        T_cur, T_i = T_cur - T_i, T_i * T_mult
    return anneal(lr, eta_min, T_cur / T_i)
