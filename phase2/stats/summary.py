"""The few numbers that say how a study came out: what `dvc metrics show` prints and compares between commits."""

from typing import Any

import pandas as pd

from phase2.study.score import Score


def summary(tables: dict[str, pd.DataFrame], factors: list[str]) -> dict[str, Any]:
    """Counts, what was chosen on validation, and each term's share of the variance, from a study's tables by name."""
    cells, variance, best = tables["cells"], tables["variance"], tables["chosen"].iloc[0]
    shares = variance[variance["measure"] == Score.read(tables["score"]).column].set_index("term")["share"].dropna()
    known = best[["val_mean", "test_mean", "low", "high"]].dropna()  # a few seeds have no interval
    return {
        "cells": len(cells),
        "diverged": int((cells["status"] == "diverged").sum()),
        "chosen": {factor: str(best[factor]) for factor in factors}
        | {str(name): float(f"{value:.4g}") for name, value in known.items()},
        "variance_share": shares.round(4).to_dict(),
    }
