"""The few numbers that say how a study came out: what `dvc metrics show` prints and compares between commits."""

from typing import Any

import pandas as pd

from phase2.study.score import Score


def summary(tables: dict[str, pd.DataFrame], factors: list[str]) -> dict[str, Any]:
    """Counts, the best combination, and each term's share of the variance, from a study's tables by name."""
    cells, ranking, variance = (tables[name] for name in ("cells", "ranking", "variance"))
    measure = Score.read(tables["score"]).column
    best = ranking[ranking["measure"] == measure].sort_values("rank").iloc[0]
    shares = variance[variance["measure"] == measure].set_index("term")["share"].dropna()
    known = best[["mean", "low", "high"]].dropna()  # one seed has no interval
    return {
        "cells": len(cells),
        "diverged": int((cells["status"] == "diverged").sum()),
        "best": {factor: str(best[factor]) for factor in factors}
        | {str(name): float(f"{value:.4g}") for name, value in known.items()},
        "variance_share": shares.round(4).to_dict(),
    }
