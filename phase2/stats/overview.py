"""How each study came out, in one row: the first thing to read of a run."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from phase2.stats.columns import OVER_SEEDS
from phase2.study.factors import factors_of
from phase2.study.score import Score

OVERVIEW = {
    "study": "the study, as the configuration names it",
    "question": "what it asks",
    "answer": "the setting that is best on validation",
    "test": "its score on the test part, mean over seeds, in the unit told",
    "baseline": "the test score of the baseline, in that unit",
    "against": "the baseline: logistic regression on raw pixels, or guessing where the study has none",
    "effect": "by how much test is better than baseline (of a share: in points)",
    "low": f"{OVER_SEEDS['low'].replace('the mean over seeds', 'the effect')}",
    "high": OVER_SEEDS["high"],
    "n": OVER_SEEDS["n"],
    "failed": "runs of that setting that diverged or have no finite score",
    "steps": "optimizer steps of each run",
    "seconds": "that all runs of the study took to train, one after the other",
    "score": "what is compared",
    "unit": "its unit",
}


def overview(study: str, question: str, tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The row of a study, with the columns of `OVERVIEW`, from its tables score, chosen and cells, and baseline if it
    has one.
    """
    score, chosen = Score.read(tables["score"]), tables["chosen"]
    levels = chosen[factors_of(chosen, before="val_mean")].astype(str).iloc[0]  # a column of words may hold a number
    cells = tables["cells"]
    runs = cells[(cells[list(levels.index)].astype(str) == levels).all(axis=1)]
    baseline, against = _baseline(tables.get("baseline"), score)
    best = chosen.iloc[0]
    gain = {name: score.sign * score.scale * (best[name] - baseline) for name in ("test_mean", "low", "high")}
    low, high = sorted((gain["low"], gain["high"]))  # where less is better, the ends change places
    return {
        "study": study,
        "question": question,
        "answer": ", ".join(f"{factor}={level}" for factor, level in levels.items()),
        "test": score.scale * best["test_mean"],
        "baseline": score.scale * baseline,
        "against": against,
        **{"effect": gain["test_mean"], "low": low, "high": high},
        **{"n": best["n"], "failed": best["failed"], "steps": runs["steps"].max()},
        "seconds": cells["seconds"].sum(),
        **{"score": score.label, "unit": score.unit},
    }


def _baseline(table: pd.DataFrame | None, score: Score) -> tuple[float, str]:
    """The test score that a study is to beat, and whose it is."""
    if table is None or "logistic" not in set(table["model"]):
        return score.chance, "guessing"
    return float(table.set_index("model")["test_score"]["logistic"]), "logistic regression"
