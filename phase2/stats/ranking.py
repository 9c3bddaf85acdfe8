"""Which settings do best: combinations and single levels by their mean over seeds."""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from phase2.stats.best import behind_best
from phase2.stats.design import Design
from phase2.stats.divergence import STUCK_MARGIN
from phase2.stats.interval import over_seeds
from phase2.study.score import Score

LEVELS = ["factor", "level", "mean", "low", "high", "least", "most", "n", "failed"]


def ranking(design: Design, score: Score) -> pd.DataFrame:
    """Every combination of levels, the best first.

    A combination that failed at a seed comes after all that never did, the fewest failures first: nobody would choose
    it, and the mean of the seeds that it survived cannot be compared with means of all. Nor is one compared with the
    best that ended at chance at a seed: it may not be the best, and its spread would say that all others may.

    Columns: rank (1 is best; equals share a rank), one a factor, mean, low, high, least, most, n (seeds that finished),
    failed (seeds that did not), and behind, behind_low, behind_high, may_be_best as `behind_best` tells them.
    """
    values = design.by_combination()
    known, failed = over_seeds(values), np.isnan(values).sum(axis=1)
    worse = (-score.sign * known["mean"].round(12)).fillna(np.inf)
    place = pd.DataFrame({"failed": failed, "worse": worse}).groupby(["failed", "worse"]).ngroup()
    table = pd.DataFrame(design.combinations(), columns=list(design.factors)).join(known.assign(failed=failed))
    table.insert(0, "rank", rankdata(place, method="min").astype(int))
    order = np.argsort(place, kind="stable")
    worth = score.sign * values[order]
    worth[worth <= score.worth_of_chance + STUCK_MARGIN] = np.nan
    return table.iloc[order].reset_index(drop=True).join(behind_best(worth, score.limit))


def level_means(design: Design) -> pd.DataFrame:
    """Each level's mean over those combinations of the other factors at which every level finished at every seed.

    Columns: factor, level, mean, low, high, least, most, n (seeds; 0 where no combination is left), failed (runs, of
    all combinations).
    """
    tables = []
    for factor, levels in zip(design.factors, design.levels, strict=True):
        names = pd.DataFrame({"factor": factor, "level": list(levels)})
        tables.append(names.join(over_seeds(design.by_level(factor)).assign(failed=design.failures(factor))))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=LEVELS)
