"""The sentences on runs that diverged or learned nothing: how many, and at which levels."""

from collections.abc import Callable

import pandas as pd

from phase2.report.inputs import StudyInputs
from phase2.report.latex import apart, count, escape, listed
from phase2.stats.divergence import STUCK_MARGIN
from phase2.words.levels import label

Say = Callable[..., str]


def failures_finding(study: StudyInputs, say: Say) -> list[str]:
    """How many runs diverged or ended at chance, and where."""
    table = study.tables["divergence"]
    diverged, stuck = int(table["diverged"].sum()), int(table["stuck"].sum())
    total = say("Cells", count(table["cells"].sum()), "cells", "rows")
    lost = say("Diverged", count(diverged), "divergence", "sum of diverged")
    still = say("Stuck", count(stuck), "divergence", "sum of stuck")
    code = "phase2.stats.divergence.STUCK_MARGIN"
    margin = say("Margin", apart(study.score, STUCK_MARGIN, 0), "code", code)
    if diverged + stuck == 0:
        return [f"None of the {total} runs diverged, and none ended within {margin} of chance."]
    first = say("First Divergence", count(table["first_step"].min()), "divergence", "least step of divergence")
    text = f"{lost} of the {total} runs diverged, the first at step {first}," if diverged else "No run diverged,"
    text += f" and {still} ended within {margin} of chance." if stuck else " and none was stuck."
    return [text, _where(study, table.assign(failed=table["diverged"] + table["stuck"]), say)]


def _where(study: StudyInputs, table: pd.DataFrame, say: Say) -> str:
    if (table["failed"] == table["cells"]).all():
        return "So every run failed."
    rates = {factor: _failures(table, factor)["rate"] for factor in study.factors}
    order = sorted(rates, key=lambda factor: rates[factor].max() - rates[factor].min(), reverse=True)
    if not order or rates[order[0]].max() == rates[order[0]].min():
        return "The failures are spread evenly over the levels."
    main, worst = order[0], rates[order[0]].idxmax()
    text = f"By {escape(label(main))}, the failures are at {_failing(table, main, say, {})}"
    if len(order) == 1 or rates[main].max() == 1:
        return f"{text}."
    inner = _failing(table[table[main] == worst], order[1], say, {main: worst})
    return f"{text}; within {escape(label(worst))}, by {escape(label(order[1]))}, they are at {inner}."


def _failures(table: pd.DataFrame, factor: str) -> pd.DataFrame:
    sums = table.groupby(factor, sort=False)[["failed", "cells"]].sum()
    return sums.assign(rate=sums["failed"] / sums["cells"]).sort_values("rate", ascending=False, kind="stable")


def _failing(table: pd.DataFrame, factor: str, say: Say, inside: dict) -> str:
    texts = []
    for level, row in _failures(table, factor).query("failed > 0").iterrows():
        name = " ".join(["Failed", *map(str, inside.values()), str(level)])
        value = f"{count(row['failed'])} of {count(row['cells'])}"
        call = say(name, value, "divergence", "diverged or stuck, of all cells", {**inside, factor: level})
        texts.append(f"{escape(label(level))} ({call})")
    return listed(texts)
