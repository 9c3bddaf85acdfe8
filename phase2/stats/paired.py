"""Paired comparisons with the seed as the unit: two settings, trained on the same batches, seed by seed."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import gammaln
from scipy.stats import permutation_test, ttest_1samp
from statsmodels.stats.multitest import multipletests

from phase2.stats.bootstrap import mean_interval
from phase2.stats.design import Design

TINY = 1e-12  # a spread below this is rounding of the means, not variation between seeds
FLIPS = 2**16  # exact up to 16 seeds, that many random flips beyond


def pairs(design: Design) -> pd.DataFrame:
    """All pairs of levels of every factor, each seed averaged over the other factors first.

    Columns: factor, a, b, difference (a minus b), low, high (bootstrap), p_t (paired t), p_holm (p_t
    adjusted within the factor's family, Holm 1979), p_signflip (exact), effect (d_z with Hedges' correction),
    n (seeds).
    """
    columns = ["factor", "a", "b", "difference", "low", "high", "p_t", "p_holm", "p_signflip", "effect", "n"]
    tables = [_family(design, factor) for factor in design.factors]
    tables = [table for table in tables if len(table)]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def _family(design: Design, factor: str) -> pd.DataFrame:
    means = design.by_level(factor)
    levels = design.levels[design.factors.index(factor)]
    chosen = list(combinations(range(len(levels)), 2))
    if not chosen:
        return pd.DataFrame()
    compared = compare(np.array([means[i] - means[j] for i, j in chosen]))
    names = pd.DataFrame([(factor, levels[i], levels[j]) for i, j in chosen], columns=["factor", "a", "b"])
    return names.join(compared)


def compare(differences: np.ndarray) -> pd.DataFrame:
    """Tests a family of paired differences, (comparisons, seeds); the columns of `pairs` less the names."""
    low, high = mean_interval(differences)
    p_t = np.array([t_test(row) for row in differences])
    return pd.DataFrame(
        {
            "difference": differences.mean(axis=1),
            "low": low,
            "high": high,
            "p_t": p_t,
            "p_holm": holm(p_t),
            "p_signflip": sign_flip(differences),
            "effect": [effect_size(row) for row in differences],
            "n": differences.shape[1],
        }
    )


def t_test(differences: np.ndarray) -> float:
    """Two-sided p of the paired t-test; 1 if nothing differs, NaN if all seeds differ alike."""
    if np.abs(differences).max() < TINY:
        return 1.0
    if len(differences) < 2 or differences.std() < TINY:
        return float("nan")
    return float(ttest_1samp(differences, 0).pvalue)


def sign_flip(differences: np.ndarray) -> np.ndarray:
    """Two-sided p of each row's sign-flip permutation test, exact over all 2^n flips; at least 2/2^n."""
    if differences.shape[1] < 2:
        return np.ones(len(differences))
    settled = np.where(np.abs(differences) < TINY, 0, differences)
    test = permutation_test(
        (settled, np.zeros_like(settled)),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        axis=-1,
        permutation_type="samples",
        vectorized=True,
        n_resamples=FLIPS,
        rng=np.random.default_rng(0),
    )
    return np.asarray(test.pvalue)


def effect_size(differences: np.ndarray) -> float:
    """Cohen's d_z (mean over standard deviation) times Hedges' exact J(n - 1) (Hedges 1981).

    NaN below three seeds (J is zero at one degree of freedom) and where the differences do not vary.
    """
    df = len(differences) - 1
    if df < 2 or differences.std() < TINY:
        return float("nan")
    correction = np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2)
    return float(correction * differences.mean() / differences.std(ddof=1))


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down adjustment of one family; a NaN stays NaN and is not counted in the family.

    >>> holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    adjusted = np.full(len(p), np.nan)
    tested = np.isfinite(p)
    if tested.any():
        adjusted[tested] = multipletests(p[tested], method="holm")[1]
    return adjusted
