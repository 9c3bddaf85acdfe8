"""What the figures that compare strategies show, in sentences drawn by code: rates, decays and budgets.

A function takes a study's inputs and `say`, as in `phase2.report.conclusions`; it is asked for by its figure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from phase2.report.compared_convolutions import backends, depths, sharing
from phase2.report.failures import Say
from phase2.report.inputs import StudyInputs, get
from phase2.report.latex import apart, count, escape, listed, number, percentage, plural
from phase2.report.macros import Ledger
from phase2.study.factors import factors_of
from phase2.words.levels import crossed, label

NEAR = 0.01  # of the score: a rate so near to the best is as good
APART = 0.05  # of a map's variance: less than this in the interaction, and the two can be chosen apart


def state_comparison(study: StudyInputs, ledger: Ledger) -> None:
    r"""Enters \<Study>Comparison: the sentences of all figures of the study that have some."""
    say, sentences = partial(ledger.state, study.name), []
    for name in get(study.config, "figures"):
        if name in COMPARED:
            sentences += COMPARED[name](study, say)
    say("Comparison", " ".join(sentences), "ranking", f"sentences drawn by code: {__name__}")


def _at_best(study: StudyInputs, *kept: str) -> tuple[pd.DataFrame, list[str]]:
    """Scores with a column `line`, the levels of the first factor that is not `kept`; all others at their best."""
    others = factors_of(study.factors, without=kept)
    table = study.table("ranking")
    table = table.assign(line=crossed(table, others[:1]))
    best = table.groupby(["line", *kept], observed=True)["rank"].idxmin()
    return table.loc[best].reset_index(drop=True), others


def rates(study: StudyInputs, say: Say) -> list[str]:
    """The best rate of each level, how near other rates come to it, and whether the list of rates was long enough."""
    table, others = _at_best(study, "lr")
    tried = sorted(table["lr"].unique())
    lines = [_Best.of(study, str(line), rows, say) for line, rows in table.groupby("line", observed=True)]
    total = say("Rates Tried", plural(len(tried), "learning rate"), "ranking", "distinct rates")
    best = [
        say(f"Rate {b.line}", f"{b.rate:g}", "ranking", "rate of the best mean") + (f" for {b.name}" if b.line else "")
        for b in lines
    ]
    text = [f"All were given the same {total}; the best is {listed(best)}."]
    if len(lines) > 1:
        text.append(_tolerance(study, lines, len(tried), say))
    edges = [b.name for b in lines if b.rate in (tried[0], tried[-1])]
    if edges and len(tried) > 1:
        text.append(f"For {listed(edges)} the best rate is at an end of the list, which was too short to enclose it.")
    if others and pd.api.types.is_numeric_dtype(table[others[0]]):
        text.append(_scaling(table, others[0], say))
    return text


@dataclass(frozen=True)
class _Best:
    """The best rate of one line, and how many rates end near it."""

    line: str
    name: str  # as LaTeX calls it
    rate: float
    near: int

    @classmethod
    def of(cls, study: StudyInputs, line: str, rows: pd.DataFrame, say: Say) -> "_Best":
        top, sign = rows.iloc[int(rows["rank"].to_numpy().argmin())], study.score.sign
        name = say(f"Level {line}", escape(line), "config", "a level") if line else "the network"
        return cls(line, name, float(top["lr"]), int((sign * rows["mean"] >= sign * top["mean"] - NEAR).sum()))


def _tolerance(study: StudyInputs, lines: list[_Best], tried: int, say: Say) -> str:
    most, least = max(b.near for b in lines), min(b.near for b in lines)
    margin = say("Rate Margin", apart(study.score, NEAR, 0), "code", "phase2.report.compared.NEAR")
    if most == least:
        same = say("Rates Near", count(most), "ranking", "rates near the best, the same for all")
        return f"All are equally particular: {same} of the rates end within {margin} of the best."
    how = "rates that end near the best"
    broad = say("Rates Near Most", f"{count(most)} of {count(tried)}", "ranking", how)
    narrow = say("Rates Near Least", count(least), "ranking", how)
    broadest, narrowest = (listed([b.name for b in lines if b.near == bound]) for bound in (most, least))
    return (
        f"The least particular is {broadest}, with {broad} rates within {margin} of its best; the most, {narrowest}, "
        f"with {narrow}."
    )


def _scaling(table: pd.DataFrame, factor: str, say: Say) -> str:
    """How the best rate moves with a factor that is a number: the exponent of a power law through the best rates."""
    best = table.loc[table.groupby("line", observed=True)["rank"].idxmin()]
    if best[factor].nunique() < 3:
        return ""
    exponent = float(np.polyfit(np.log(best[factor].astype(float)), np.log(best["lr"]), 1)[0])
    value = say(
        "Rate Exponent", number(round(exponent, 2) + 0.0), "ranking", f"least squares of log best rate on log {factor}"
    )
    if abs(exponent) < 0.2:
        return f"The best rate does not move with the {escape(label(factor))}: its exponent is {value}."
    rule = "nearer to the linear rule" if exponent > 0.75 else "nearer to the square-root rule"
    where = rule if exponent > 0 else "against both the linear and the square-root rule"
    return f"The best rate goes with the {escape(label(factor))} to the power of {value}, {where}."


def decay(study: StudyInputs, say: Say) -> list[str]:
    """Whether rate and decay can be chosen apart: the interaction's share of each map, and how the best decay moves."""
    table, _ = _at_best(study, "lr", "weight_decay")
    text, shares = [], {}
    for line, rows in table.groupby("line", observed=True):
        grid = rows.pivot(index="lr", columns="weight_decay", values="mean")
        name = escape(str(line)) or "the network"
        shares[name] = _interaction(grid)
        share = say(
            f"Interaction {line}", percentage(shares[name], 1), "ranking", "rate by decay, of the map's variance"
        )
        ranks = rows.pivot(index="lr", columns="weight_decay", values="rank")
        moves = _best_decay(str(line), ranks, say)
        text.append(f"For {name}, the best decay is {moves}; rate and decay interact in {share} of the map's variance.")
    apart = [name for name, share in shares.items() if share < APART]
    bound = say("Apart Bound", percentage(APART, 0), "code", "phase2.report.compared.APART")
    if len(apart) == len(shares):
        return [*text, f"All are below {bound}: the two can be chosen apart."]
    if not apart:
        return [*text, f"None is below {bound}: the two must be chosen together."]
    together = [name for name in shares if name not in apart]
    return [*text, f"Below {bound} the two can be chosen apart: with {listed(apart)}, and not with {listed(together)}."]


def _best_decay(line: str, ranks: pd.DataFrame, say: Say) -> str:
    best = ranks.idxmin(axis=1)
    how = "weight decay of the best mean, over the rates"
    low, high = (
        say(f"{end} Decay {line}", f"{value:g}", "ranking", how)
        for end, value in (("Least", best.min()), ("Most", best.max()))
    )
    return f"{low} at every rate" if best.nunique() == 1 else f"between {low} and {high}, by the rate"


def _interaction(grid: pd.DataFrame) -> float:
    """What rows and columns do not add up to, as a share of the map's variance."""
    values = grid.to_numpy(float)
    rows, columns = values.mean(1, keepdims=True), values.mean(0, keepdims=True)
    total = ((values - values.mean()) ** 2).sum()
    return float(((values - rows - columns + values.mean()) ** 2).sum() / total) if total > 0 else 0.0


def budgets(study: StudyInputs, say: Say) -> list[str]:
    """The best level at each budget, and what the choice is worth at the smallest and the largest."""
    table, others = _at_best(study, "epochs")
    if not others:
        return []
    best = table.loc[table.groupby("epochs")["rank"].idxmin()]
    leaders = best["line"].astype(str).tolist()
    gaps = table.groupby("epochs")["mean"].agg(lambda means: means.max() - means.min())
    short, long = gaps.index.min(), gaps.index.max()
    kind = escape(label(others[0]))
    if len(set(leaders)) == 1:
        text = f"At every budget the best {kind} is {escape(leaders[0])}."
    else:
        places = [
            f"{escape(name)} at {say(f'Budget {n}', plural(n, 'epoch'), 'config', 'a level of the axis epochs')}"
            for name, n in zip(leaders, best["epochs"], strict=True)
        ]
        text = f"The best {kind} depends on the budget: {listed(places)}."
    values = [
        say(f"Gap {end}", apart(study.score, gaps[n], 1), "ranking", f"between best and worst mean at {n} epochs")
        for end, n in (("Short", short), ("Long", long))
    ]
    lose = "shrinks" if gaps[long] < gaps[short] else "does not shrink"
    return [
        text,
        f"Between the best and the worst lie {values[0]} at the smallest budget and {values[1]} at the largest: "
        f"what the choice is worth {lose} with the budget.",
    ]


COMPARED: dict[str, Callable[[StudyInputs, Say], list[str]]] = {
    "lr_sensitivity": rates,
    "decay_map": decay,
    "budget_curves": budgets,
    "depth_curves": depths,
    "backends": backends,
    "sharing": sharing,
}
