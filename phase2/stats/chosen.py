"""What was chosen on validation, and what it scores on the test images: the one place where their score is read."""

import pandas as pd

from phase2.stats.design import finished
from phase2.stats.interval import over_seeds
from phase2.study.score import Score


def chosen(cells: pd.DataFrame, ranking: pd.DataFrame, factors: list[str], score: Score) -> pd.DataFrame:
    """One row: the first combination of `ranking`, which is the best on validation, and its seeds on the test part.

    Columns: <factors>, val_mean, test_mean, low, high, least, most (of the test score), n, failed (seeds).
    """
    best = ranking.iloc[[0]].reset_index(drop=True)
    rows = cells[(cells[factors] == best.loc[0, factors]).all(axis=1)]
    test = over_seeds(finished(rows, score.test_column).to_numpy()[None]).rename(columns={"mean": "test_mean"})
    return best[[*factors, "mean"]].rename(columns={"mean": "val_mean"}).join(test).join(best["failed"])
