"""Paired comparisons with the seed as the unit: two settings, trained on the same batches, seed by seed."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import gammaln
from scipy.stats import ttest_1samp
from statsmodels.stats.multitest import multipletests

from phase2.stats.design import Design
from phase2.stats.interval import ENOUGH, over_seeds

TINY = 1e-12  # a spread below this is rounding of the means, not variation between seeds


def pairs(design: Design) -> pd.DataFrame:
    """All pairs of levels of every factor, seed by seed, over the combinations of the others at which both finished.

    Columns: factor, a, b, difference (a minus b), low, high, least, most, p_t (paired t), p_holm (p_t adjusted within
    the factor's family, Holm 1979), effect (d_z with Hedges' correction), n (seeds), failed_a, failed_b (runs).
    """
    columns = ["factor", "a", "b", "difference", "low", "high", "least", "most"]
    columns += ["p_t", "p_holm", "effect", "n", "failed_a", "failed_b"]
    tables = [_family(design, factor) for factor in design.factors]
    tables = [table for table in tables if len(table)]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def _family(design: Design, factor: str) -> pd.DataFrame:
    levels, failed = design.levels[design.factors.index(factor)], design.failures(factor)
    chosen = list(combinations(range(len(levels)), 2))
    names = [(factor, levels[a], levels[b], failed[a], failed[b]) for a, b in chosen]
    table = pd.DataFrame(names, columns=["factor", "a", "b", "failed_a", "failed_b"])
    return table.join(compare(np.array([design.difference(factor, levels[a], levels[b]) for a, b in chosen])))


def compare(differences: np.ndarray) -> pd.DataFrame:
    """Tests a family of paired differences, (comparisons, seeds), NaN where a seed has none: the columns of `pairs`
    less names and failures.
    """
    p_t = np.array([t_test(row) for row in differences])
    effects = [effect_size(row) for row in differences]
    table = over_seeds(differences).rename(columns={"mean": "difference"})
    return table.assign(p_t=p_t, p_holm=holm(p_t), effect=effects)


def t_test(differences: np.ndarray) -> float:
    """Two-sided p of the paired t-test; 1 if nothing differs, NaN below `ENOUGH` seeds and if all differ alike."""
    differences = differences[np.isfinite(differences)]
    if len(differences) < ENOUGH:
        return float("nan")
    if np.abs(differences).max() < TINY:
        return 1.0
    return float(ttest_1samp(differences, 0).pvalue) if differences.std() >= TINY else float("nan")


def effect_size(differences: np.ndarray) -> float:
    """Cohen's d_z (mean over standard deviation) times Hedges' exact J(n - 1) (Hedges 1981).

    NaN below `ENOUGH` seeds and where the differences do not vary.
    """
    differences = differences[np.isfinite(differences)]
    df = len(differences) - 1
    if df + 1 < ENOUGH or differences.std() < TINY:
        return float("nan")
    correction = np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2)
    return float(correction * differences.mean() / differences.std(ddof=1))


def holm(p: np.ndarray | pd.Series) -> np.ndarray:
    """Holm's step-down adjustment of one family; a NaN stays NaN and is not counted in the family.

    >>> holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    adjusted = np.full(len(p), np.nan)
    tested = np.isfinite(p)
    if tested.any():
        adjusted[tested] = multipletests(p[tested], method="holm")[1]
    return adjusted
