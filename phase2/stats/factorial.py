"""How much of the scores' variation each factor and interaction carries: variance analysis of a full grid."""

from itertools import chain, combinations

import numpy as np
import pandas as pd
from scipy.stats import f as f_distribution

from phase2.stats.design import Design
from phase2.stats.interval import ENOUGH
from phase2.study.factors import SEED

RESIDUAL = "residual"
TINY = 1e-12  # a share of the total below this is rounding


def variance(design: Design) -> pd.DataFrame:
    """Every subset of the factors with two levels or more, the seed as a block, and the residual.

    The model is score = all effects of the factors + seed + residual; the residual is every interaction with
    the seed. It is of the seeds at which every run finished. Columns: term ("activation:init" for an interaction), df,
    share (of the total sum of squares, eta squared), omega2 (partial; below zero where F < 1), F, p, n (seeds), failed
    (runs, which leave out their seeds). Below two seeds nothing tells an effect from noise: share is NaN. Below
    `ENOUGH` there is no test: omega2, F and p are NaN, as is a ratio without a denominator. Shares have no intervals:
    of few seeds none keeps its level.
    """
    kept = [i for i, levels in enumerate(design.levels) if len(levels) > 1]
    terms = list(chain.from_iterable(combinations(kept, size) for size in range(1, len(kept) + 1)))
    sizes = [len(levels) for levels in design.levels]
    failed = np.isnan(design.values)
    whole = ~failed.any(axis=tuple(range(len(sizes))))
    combos, seeds = int(np.prod(sizes)), int(whole.sum())
    blocks = max(seeds, 1)
    df = [int(np.prod([sizes[i] - 1 for i in term])) for term in terms]
    df += [blocks - 1, (combos - 1) * (blocks - 1)]
    names = [":".join(design.factors[i] for i in term) for term in terms] + [SEED, RESIDUAL]
    table = pd.DataFrame({"term": names, "df": df})
    if seeds < 2:
        table = table.assign(**dict.fromkeys(["share", "omega2", "F", "p"], np.nan))
    else:
        squares = sums_of_squares(design.values[..., whole], terms)
        total = squares.sum()
        table = table.assign(share=squares / total if total > TINY else np.nan)
        table = table.join(_tests(squares, np.array(df), combos * seeds, seeds))
    return table.assign(n=seeds, failed=int(failed.sum()))


def sums_of_squares(values: np.ndarray, terms: list[tuple[int, ...]]) -> np.ndarray:
    """Sums of squares, (terms + 2,), of `values` (factor 1, ..., factor k, seeds).

    Each term is a tuple of factor positions: its effect is the mean over the axes outside it, centred along
    each axis inside it. The last two are the seed and the residual.
    """
    last = values.ndim - 1
    squares = []
    for term in [*terms, (last,)]:
        effect = values.mean(axis=tuple(axis for axis in range(values.ndim) if axis not in term), keepdims=True)
        for axis in term:
            effect = effect - effect.mean(axis=axis, keepdims=True)
        squares.append(values.size / effect.size * (effect**2).sum())
    total = ((values - values.mean()) ** 2).sum()
    return np.array([*squares, max(total - sum(squares), 0)])


def _tests(squares: np.ndarray, df: np.ndarray, cells: int, seeds: int) -> pd.DataFrame:
    empty = np.full(len(squares), np.nan)
    if seeds < ENOUGH or df[-1] == 0 or squares[-1] <= TINY * squares.sum():
        return pd.DataFrame({"omega2": empty, "F": empty, "p": empty})
    F = (squares / df) / (squares[-1] / df[-1])
    omega2 = df * (F - 1) / (df * (F - 1) + cells)
    p = f_distribution.sf(F, df, df[-1])
    table = pd.DataFrame({"omega2": omega2, "F": F, "p": p})
    table.iloc[-1] = np.nan  # the residual is what the others are tested against
    return table
