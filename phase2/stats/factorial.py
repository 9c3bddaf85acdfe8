"""How much of the scores' variation each factor and interaction carries: variance analysis of a full grid."""

from itertools import chain, combinations

import numpy as np
import pandas as pd
from scipy.stats import f as f_distribution

from phase2.stats.bootstrap import LEVEL
from phase2.stats.design import Design
from phase2.study.factors import SEED

RESIDUAL = "residual"
RESAMPLES = 2000
TINY = 1e-12  # a share of the total below this is rounding


def variance(design: Design) -> pd.DataFrame:
    """Every subset of the factors with two levels or more, the seed as a block, and the residual.

    The model is score = all effects of the factors + seed + residual; the residual is every interaction with
    the seed. Columns: term ("activation:init" for an interaction), df, share (of the total sum of squares,
    eta squared), low, high (percentile bootstrap over seeds), omega2 (partial; below zero where F < 1), F, p.
    A ratio without a denominator (one seed, or no variation) is NaN.
    """
    kept = [i for i, levels in enumerate(design.levels) if len(levels) > 1]
    terms = list(chain.from_iterable(combinations(kept, size) for size in range(1, len(kept) + 1)))
    sizes = [len(levels) for levels in design.levels]
    combos, seeds = int(np.prod(sizes)), len(design.seeds)
    df = [int(np.prod([sizes[i] - 1 for i in term])) for term in terms]
    df += [seeds - 1, (combos - 1) * (seeds - 1)]
    squares = sums_of_squares(design.values[None], terms)[0]
    low, high = _share_interval(design, terms)
    table = pd.DataFrame(
        {
            "term": [":".join(design.factors[i] for i in term) for term in terms] + [SEED, RESIDUAL],
            "df": df,
            "share": _shares(squares),
            "low": low,
            "high": high,
        }
    )
    return table.join(_tests(squares, np.array(df), combos * seeds))


def sums_of_squares(values: np.ndarray, terms: list[tuple[int, ...]]) -> np.ndarray:
    """Sums of squares, (batch, terms + 2), of `values` (batch, factor 1, ..., factor k, seeds).

    Each term is a tuple of factor positions: its effect is the mean over the axes outside it, centred along
    each axis inside it. The last two columns are the seed and the residual.
    """
    last = values.ndim - 1
    axes = range(1, last + 1)
    columns = []
    for term in [*({i + 1 for i in term} for term in terms), {last}]:
        effect = values.mean(axis=tuple(a for a in axes if a not in term), keepdims=True)
        for axis in term:
            effect = effect - effect.mean(axis=axis, keepdims=True)
        repeats = values[0].size / effect[0].size
        columns.append(repeats * (effect**2).sum(axis=tuple(axes)))
    total = ((values - values.mean(axis=tuple(axes), keepdims=True)) ** 2).sum(axis=tuple(axes))
    residual = np.maximum(total - sum(columns), 0)
    return np.stack([*columns, residual], axis=1)


def _shares(squares: np.ndarray) -> np.ndarray:
    total = squares.sum(axis=-1, keepdims=True)
    return np.where(total > TINY, squares / np.where(total > TINY, total, 1), np.nan)


def _share_interval(design: Design, terms: list[tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray]:
    seeds = len(design.seeds)
    if seeds < 2:
        return np.full(len(terms) + 2, np.nan), np.full(len(terms) + 2, np.nan)
    drawn = np.random.default_rng(0).integers(seeds, size=(RESAMPLES, seeds))
    shares = [
        _shares(sums_of_squares(np.moveaxis(design.values[..., part], -2, 0), terms))
        for part in np.array_split(drawn, 20)
    ]
    low, high = np.quantile(np.concatenate(shares), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def _tests(squares: np.ndarray, df: np.ndarray, cells: int) -> pd.DataFrame:
    empty = np.full(len(squares), np.nan)
    if df[-1] == 0 or squares[-1] <= TINY * squares.sum():
        return pd.DataFrame({"omega2": empty, "F": empty, "p": empty})
    F = (squares / df) / (squares[-1] / df[-1])
    omega2 = df * (F - 1) / (df * (F - 1) + cells)
    p = f_distribution.sf(F, df, df[-1])
    table = pd.DataFrame({"omega2": omega2, "F": F, "p": p})
    table.iloc[-1] = np.nan  # the residual is what the others are tested against
    return table
