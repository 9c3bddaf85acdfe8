"""Bootstrap confidence intervals of a mean over seeds (Efron & Tibshirani 1993, chapters 13 and 14)."""

import warnings

import numpy as np
from scipy.stats import DegenerateDataWarning
from scipy.stats import bootstrap as resample

LEVEL = 0.95
RESAMPLES = 4000


def mean_interval(values: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Low and high ends of the mean's interval for each row of `values`, (rows, seeds); the rng is fixed.

    BCa; a row on which BCa is undefined (ties in every resample) gets the percentile interval. One seed has
    no interval: NaN.
    """
    values = np.asarray(values, float)
    if values.shape[-1] < 2:
        return np.full(len(values), np.nan), np.full(len(values), np.nan)
    low, high = _interval(values, level, "BCa")
    undefined = ~np.isfinite(low) | ~np.isfinite(high)
    if undefined.any():
        low[undefined], high[undefined] = _interval(values[undefined], level, "percentile")
    return low, high


def _interval(values: np.ndarray, level: float, method: str) -> tuple[np.ndarray, np.ndarray]:
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", DegenerateDataWarning)
        interval = resample(
            (values,),
            np.mean,
            axis=-1,
            n_resamples=RESAMPLES,
            confidence_level=level,
            method=method,
            rng=np.random.default_rng(0),
        ).confidence_interval
    return np.array(interval.low), np.array(interval.high)
