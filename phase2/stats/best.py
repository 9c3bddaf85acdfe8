"""Which of many may be the best: multiple comparisons with the best (Hsu 1981, 1996), paired by seed."""

import numpy as np
import pandas as pd
from scipy.stats import t as student

from phase2.stats.interval import ENOUGH, LEVEL


def behind_best(values: np.ndarray, limit: float = np.inf, level: float = LEVEL) -> pd.DataFrame:
    """How far each of `values` (combinations, seeds), larger being better, is behind the best of the others.

    Columns: behind (of the means; below zero it is ahead), behind_low, behind_high (hold at once, for all combinations,
    with the probability `level`), may_be_best (whether the best can be this one).

    The bounds are Hsu's constrained ones, by the way of Edwards and Hsu (1983): one-sided comparisons with each as the
    control of all others. behind_low is 0 where another is surely better, and else says how far it may be ahead. Hsu's
    own take one variance for all, and cover 82% where a few settings are noisier than the rest; here each pair has its
    own, of its differences over the seeds, and Bonferroni's critical value.

    None can be further behind than it is from `limit`, the best value there is. A combination without a value at a seed
    is not compared: NaN. Below `ENOUGH` seeds there are no bounds.
    """
    table = pd.DataFrame(np.nan, range(len(values)), ["behind", "behind_low", "behind_high"])
    table["may_be_best"] = pd.Series(np.nan, table.index, dtype=object)
    compared = np.flatnonzero(np.isfinite(values).all(axis=1))
    if len(compared) < 2:
        return table
    behind = values[compared][None] - values[compared][:, None]  # (combinations, their rivals, seeds)
    mean = behind.mean(axis=-1)
    np.fill_diagonal(mean, -np.inf)
    table.loc[compared, "behind"] = mean.max(axis=1)
    n = values.shape[1]
    if n >= ENOUGH:
        critical = student.ppf(1 - (1 - level) / (len(compared) - 1), n - 1)
        room = critical * behind.std(axis=-1, ddof=1) / np.sqrt(n)
        surely = (mean - room).max(axis=1)
        may_be_best = surely <= 0
        rivals = np.where(may_be_best, mean + room, -np.inf)
        table.loc[compared, "behind_low"] = np.minimum(surely, 0)
        possible = limit - values[compared].mean(axis=1)
        table.loc[compared, "behind_high"] = np.clip(rivals.max(axis=1), 0, possible)
        table.loc[compared, "may_be_best"] = may_be_best
    return table
