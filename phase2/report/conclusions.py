"""What the results say, in sentences that code draws from the statistics: other results, other sentences."""

from collections.abc import Callable
from functools import partial

import pandas as pd
from scipy.stats import spearmanr

from phase2.figures.labels import label, term_label
from phase2.report.inputs import AREA, FINAL, StudyInputs
from phase2.report.latex import count, escape, interval, listed, number, p_phrase, percentage
from phase2.report.macros import Ledger
from phase2.stats.design import SEED
from phase2.stats.divergence import STUCK_MARGIN
from phase2.stats.factorial import RESIDUAL

ALPHA = 0.05
FEW_SEEDS = 3  # below it neither a t-test nor an interval is worth its name

Say = Callable[..., str]


def state_findings(study: StudyInputs, ledger: Ledger) -> None:
    """Enters \\<Study>Finding<Name> for each finding and \\<Study>Lead<Name> for its first sentence.

    The numbers in a finding are macros with their own traces.
    """
    say = partial(ledger.state, study.name)
    for name, (table, finding) in FINDINGS.items():
        sentences, how = finding(study, say), f"drawn by code: phase2.report.conclusions.{finding.__name__}"
        say(f"Lead {name}", sentences[0], table, f"first sentence {how}")
        say(f"Finding {name}", " ".join(sentences), table, f"sentences {how}")


def variance_finding(study: StudyInputs, say: Say) -> list[str]:
    """Which factor carries most of the variation, and whether it is ahead of the next."""
    effects = effects_of(study)
    if effects.empty:
        return ["No factor has more than one level, so there is no variation to divide."]
    if effects["share"].isna().all():
        return ["All cells score alike, so there is no variation to divide."]
    first = effects.iloc[0]
    share = say("Top Share", percentage(first["share"], 1), "variance", f"share of {first['term']}")
    bounds = say("Top Interval", interval(first["low"], first["high"], 1), "variance", "bootstrap over seeds")
    term = say("Top Term", escape(term_label(first["term"])), "variance", "the term with the largest share")
    text = f"The largest share of the variation in test accuracy belongs to {term}: {share}"
    text += f" (\\Level{{}} interval {bounds}, in percent)" if study.seeds >= FEW_SEEDS else ""
    return [f"{text}{_next_term(study, say, effects)}.", *_interactions(effects, say)]


def effects_of(study: StudyInputs) -> pd.DataFrame:
    """The decomposition's rows for factors and interactions, largest share first."""
    table = study.table("variance")
    effects = table[~table["term"].isin([SEED, RESIDUAL])]
    return effects.sort_values("share", ascending=False, kind="stable")


def _next_term(study: StudyInputs, say: Say, effects: pd.DataFrame) -> str:
    if len(effects) < 2:
        return ""
    first, second = effects.iloc[0], effects.iloc[1]
    term = say(
        "Second Term", escape(term_label(second["term"])), "variance", "the term with the second share"
    )
    share = say("Second Share", percentage(second["share"], 1), "variance", f"share of {second['term']}")
    if study.seeds < FEW_SEEDS:
        return f", followed by {term} with {share}; there are too few seeds for intervals"
    if second["high"] < first["low"]:
        return f", clearly ahead of {term} with {share}"
    return f"; {term} follows with {share}, and as the intervals overlap the two are not told apart"


def _interactions(effects: pd.DataFrame, say: Say) -> list[str]:
    joint = effects["term"].str.contains(":")
    if not joint.any():
        return []
    together, alone = effects["share"][joint].sum(), effects["share"][~joint].sum()
    share = say("Interaction Share", percentage(together, 1), "variance", "sum of the interactions' shares")
    rest = say("Main Share", percentage(alone, 1), "variance", "sum of the single factors' shares")
    meaning = (
        "so no factor can be judged without the others"
        if together > alone
        else "so the factors' own averages describe most of what the design explains"
    )
    return [f"All interactions together carry {share}, the factors by themselves {rest}, {meaning}."]


def best_finding(study: StudyInputs, say: Say) -> str:
    """The best combination, and whether it can be told apart from the runner-up and from the rest."""
    table = study.table("ranking")
    first = table.iloc[0]
    mean = say(
        "Best Mean", percentage(first["mean"]), "ranking", "mean over seeds", dict(first[study.factors])
    )
    if len(table) == 1:
        return f"The grid has a single combination, which reaches {mean} test accuracy."
    tied = int((table["rank"] == 1).sum())
    if tied > 1:
        ties = say("Best Ties", count(tied), "ranking", "combinations of rank 1")
        return f"The best mean test accuracy, {mean}, is shared by {ties} combinations."
    name = say(
        "Best Combination", _combination(first, study), "ranking", "rank 1", dict(first[study.factors])
    )
    text = f"The best combination is {name}, with a mean test accuracy of {mean}"
    if study.seeds < FEW_SEEDS:
        runner = _runner_up(table, study, say)
        return f"{text}; there are too few seeds to test it against the runner-up, {runner}."
    bounds = say("Best Interval", interval(first["low"], first["high"]), "ranking", "bootstrap over seeds")
    return f"{text} (\\Level{{}} interval {bounds}, in percent). {_against_the_rest(table, study, say)}"


def _combination(row: pd.Series, study: StudyInputs) -> str:
    return ", ".join(escape(label(row[factor])) for factor in study.factors)


def _runner_up(table: pd.DataFrame, study: StudyInputs, say: Say) -> str:
    second = table.iloc[1]
    selection = dict(second[study.factors])
    name = say("Second Combination", _combination(second, study), "ranking", "second row", selection)
    return (
        f"{name} ({say('Second Mean', percentage(second['mean']), 'ranking', 'mean over seeds', selection)})"
    )


def _against_the_rest(table: pd.DataFrame, study: StudyInputs, say: Say) -> str:
    second, others = table.iloc[1], table.iloc[1:]
    runner = _runner_up(table, study, say)
    how = "paired t-test against rank 1, Holm over all combinations"
    if pd.isna(second["p_best"]):
        verdict = f"Its lead over the runner-up, {runner}, is the same in every seed, which leaves no test"
    else:
        p = say("Second P", p_phrase(second["p_best"]), "ranking", how, dict(second[study.factors]))
        verb = "is distinguishable" if second["p_best"] < ALPHA else "is not distinguishable"
        verdict = f"It {verb} from the runner-up, {runner}, after Holm's correction ({p})"
    close = say(
        "Close To Best", count((others["p_best"] >= ALPHA).sum()), "ranking", f"{how}: p at or above \\Alpha"
    )
    rest = say("Other Combinations", count(len(others)), "ranking", "rows but the first")
    return f"{verdict}; of the {rest} other combinations, {close} cannot be told apart from it."


def failures_finding(study: StudyInputs, say: Say) -> str:
    """How many cells diverged or learned nothing, and at which levels."""
    table = study.tables["divergence"]
    diverged, stuck = int(table["diverged"].sum()), int(table["stuck"].sum())
    lost = say("Diverged", count(diverged), "divergence", "sum of diverged")
    still = say("Stuck", count(stuck), "divergence", f"finished within {STUCK_MARGIN} of chance")
    total = say("Cells", count(table["cells"].sum()), "divergence", "sum of cells")
    if diverged + stuck == 0:
        return f"None of the {total} cells diverged, and none ended within \\Margin{{}} points of chance."
    first = say(
        "First Divergence", count(table["first_step"].min()), "divergence", "smallest step of divergence"
    )
    parts = [
        f"{lost} of the {total} cells diverged, the first at step {first},"
        if diverged
        else f"None of the {total} cells diverged,",
        f"and {still} ran to the end within \\Margin{{}} points of chance."
        if stuck
        else "and none of the others ended at chance.",
    ]
    return f"{' '.join(parts)} {_where(study, table.assign(failed=table['diverged'] + table['stuck']), say)}"


def _where(study: StudyInputs, table: pd.DataFrame, say: Say) -> str:
    if table["failed"].sum() == table["cells"].sum():
        return "So every cell failed."
    spread = {factor: _failures(table, factor)["rate"] for factor in study.factors}
    order = sorted(spread, key=lambda factor: spread[factor].max() - spread[factor].min(), reverse=True)
    if not order or spread[order[0]].max() == spread[order[0]].min():
        return "The failures are spread evenly over the levels."
    main = order[0]
    text = f"By {escape(label(main))}, the failures are at {_failed_levels(table, main, say, {})}"
    worst = spread[main].idxmax()
    within = table[table[main] == worst]
    if len(order) > 1 and 0 < spread[main].max() < 1:
        inner = _failed_levels(within, order[1], say, {main: worst})
        return f"{text}; within {escape(label(worst))}, by {escape(label(order[1]))}, at {inner}."
    return f"{text}."


def _failures(table: pd.DataFrame, factor: str) -> pd.DataFrame:
    sums = table.groupby(factor, sort=False)[["failed", "cells"]].sum()
    return sums.assign(rate=sums["failed"] / sums["cells"]).sort_values(
        "rate", ascending=False, kind="stable"
    )


def _failed_levels(table: pd.DataFrame, factor: str, say: Say, inside: dict) -> str:
    failing = _failures(table, factor).query("failed > 0")
    texts = []
    for level, row in failing.iterrows():
        name = " ".join(["Failed", *map(str, inside.values()), str(level)])
        value = f"{count(row['failed'])} of {count(row['cells'])}"
        call = say(name, value, "divergence", "diverged or stuck, of all cells", {**inside, factor: level})
        texts.append(f"{escape(label(level))} ({call})")
    return listed(texts)


def order_finding(study: StudyInputs, say: Say) -> str:
    """Whether learning fast and ending well are the same thing here."""
    final, area = (study.table("ranking", measure) for measure in (FINAL, AREA))
    both = final.merge(area, on=study.factors, suffixes=("_final", "_area")) if study.factors else final
    if len(both) < 3:
        return (
            "There are too few combinations to compare their orders by accuracy and by learning-curve area."
        )
    if final["mean"].nunique() < 2 or area["mean"].nunique() < 2:
        return "By at least one measure all combinations score alike, so there are no two orders to compare."
    rho = float(spearmanr(both["mean_final"], both["mean_area"]).statistic)
    value = say(
        "Rank Correlation", number(rho), "ranking", "Spearman's correlation of the two measures' means"
    )
    alike = "nearly alike" if rho >= 0.9 else "similarly" if rho >= 0.5 else "differently"
    text = f"Final accuracy and learning-curve area order the combinations {alike}"
    return f"{text} (Spearman's $\\rho$ is {value}). {_leaders(study)}"


def _leaders(study: StudyInputs) -> str:
    differ = []
    for factor in study.factors:
        tables = (_levels_of(study, measure, factor) for measure in (FINAL, AREA))
        final, area = (escape(label(table["level"][table["mean"].argmax()])) for table in tables)
        if final != area:
            differ.append(f"for {escape(label(factor))} {final} leads by final accuracy and {area} by area")
    if not differ:
        return "Each factor's leading level is the same by both."
    return f"The leading level is not the same by both: {listed(differ)}."


def _levels_of(study: StudyInputs, measure: str, factor: str) -> pd.DataFrame:
    table = study.table("levels", measure)
    return table[table["factor"] == factor].reset_index(drop=True)


def seed_finding(study: StudyInputs, say: Say) -> str:
    """How much is luck."""
    table = study.table("variance").set_index("term")
    seed, rest = table.loc[SEED], table.loc[RESIDUAL]
    if study.seeds < 2:
        return "With a single seed, what the seed decides cannot be estimated."
    if pd.isna(seed["share"]):
        return "As all cells score alike, the seed decides nothing."
    own = say("Seed Share", percentage(seed["share"], 1), "variance", "share of the seed")
    residual = say("Residual Share", percentage(rest["share"], 1), "variance", "share of the residual")
    text = (
        f"The seed by itself carries {own} of the variation, and its interactions with the factors {residual}"
    )
    if pd.isna(seed["p"]):
        return f"{text}; without a residual there is no test of it."
    p = say("Seed P", p_phrase(seed["p"]), "variance", "F-test of the seed against the residual")
    verdict = (
        "so some seeds are better than others throughout"
        if seed["p"] < ALPHA
        else "so no seed is better throughout"
    )
    return f"{text}; {verdict} ({p})."


def pairs_finding(study: StudyInputs, say: Say) -> str:
    """For each factor, how many pairs of its levels differ, and what the number of seeds allows to say."""
    table = study.table("pairs")
    held = [escape(label(factor)) for factor in study.factors if len(study.axes[factor]) == 1]
    single = f" {listed(held).capitalize()} was held at a single level and is not compared." if held else ""
    if table.empty:
        return f"No factor has two levels to compare.{single}"
    if study.seeds < FEW_SEEDS:
        return f"There are too few seeds to test levels against each other, so no verdict is given.{single}"
    texts = [_family(str(factor), rows, say) for factor, rows in table.groupby("factor", sort=False)]
    floor = 2 / 2**study.seeds
    can = "can" if floor < ALPHA else "cannot"
    least = say("Least P", f"$p={floor:.4g}$", "pairs", "2 / 2^seeds, the least p of the sign-flip test")
    bound = f"The exact sign-flip test cannot fall below {least}, so by itself it {can}"
    return f"After Holm's correction, {listed(texts)}. {bound} reach the \\AlphaPercent{{}} level.{single}"


def _family(factor: str, rows: pd.DataFrame, say: Say) -> str:
    differ = rows[rows["p_holm"] < ALPHA]
    name = escape(label(factor))
    amount = say(
        f"{factor} Differ", count(len(differ)), "pairs", f"pairs of {factor} with p_holm below alpha"
    )
    total = say(f"{factor} Pairs", count(len(rows)), "pairs", f"pairs of {factor}")
    if differ.empty:
        return f"none of the {total} pairs of {name} can be told apart"
    top = differ.iloc[differ["difference"].abs().argmax()]
    better, worse = (top["a"], top["b"]) if top["difference"] > 0 else (top["b"], top["a"])
    gap = say(
        f"{factor} Gap",
        f"{abs(100 * top['difference']):.2f}",
        "pairs",
        f"largest difference of {factor} in percentage points",
        {factor: [better, worse]},
    )
    return (
        f"{amount} of the {total} pairs of {name} differ, the furthest being {escape(label(better))} over "
        f"{escape(label(worse))} by {gap} points"
    )


FINDINGS: dict[str, tuple[str, Callable[[StudyInputs, Say], list[str]]]] = {
    "Variance": ("variance", variance_finding),
    "Best": ("ranking", best_finding),
    "Failures": ("divergence", failures_finding),
    "Order": ("ranking", order_finding),
    "Seed": ("variance", seed_finding),
    "Pairs": ("pairs", pairs_finding),
}
