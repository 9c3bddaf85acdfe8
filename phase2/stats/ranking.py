"""Which settings do best: combinations and single levels by their mean over seeds."""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from phase2.stats.bootstrap import mean_interval
from phase2.stats.design import Design
from phase2.stats.paired import compare


def ranking(design: Design, sign: int) -> pd.DataFrame:
    """Every combination of levels, best mean first: the largest if `sign` is 1, the least if it is -1.

    Columns: rank (1 is best; equal means share a rank), one a factor, mean, low, high (bootstrap over seeds),
    n (seeds), behind (how much worse than the first row, seed by seed), behind_low, behind_high, p_best (paired
    t-test against the first row, Holm-adjusted over all of them). The first row's last four are NaN.
    """
    values = design.by_combination()
    means = sign * values.mean(axis=1).round(12)
    order = np.argsort(-means, kind="stable")
    low, high = mean_interval(values)
    table = pd.DataFrame(design.combinations(), columns=list(design.factors))
    table.insert(0, "rank", rankdata(-means, method="min").astype(int))
    table = table.assign(mean=values.mean(axis=1), low=low, high=high, n=values.shape[1])
    table = table.iloc[order].reset_index(drop=True)
    return table.join(_behind_best(sign * values[order]))


def _behind_best(values: np.ndarray) -> pd.DataFrame:
    names = {"difference": "behind", "low": "behind_low", "high": "behind_high", "p_holm": "p_best"}
    if len(values) == 1:
        return pd.DataFrame(columns=list(names.values()), dtype=float)
    compared = compare(values[0] - values[1:])[list(names)].rename(columns=names)
    return compared.set_axis(range(1, len(values)))


def level_means(design: Design) -> pd.DataFrame:
    """Each level's mean over the other factors: factor, level, mean, low, high (bootstrap over seeds), n."""
    tables = []
    for factor, levels in zip(design.factors, design.levels, strict=True):
        values = design.by_level(factor)
        low, high = mean_interval(values)
        columns = {"level": levels, "mean": values.mean(axis=1), "low": low, "high": high}
        tables.append(pd.DataFrame({"factor": factor, **columns, "n": values.shape[1]}))
    return pd.concat(tables, ignore_index=True)
