"""What the results say, in sentences that code draws from the statistics: other results, other sentences.

A finding is a list of sentences, the leading one first. Its numbers are macros with traces of their own.
"""

from collections.abc import Callable
from functools import partial

import pandas as pd
from scipy.stats import spearmanr

from phase2.report.failures import Say, failures_finding
from phase2.report.inputs import StudyInputs
from phase2.report.latex import apart, between, count, escape, interval, listed, number, p_phrase, percentage, quantity
from phase2.report.macros import Ledger
from phase2.stats.factorial import RESIDUAL
from phase2.study.factors import SEED
from phase2.words.levels import label, term_label

ALPHA = 0.05
FEW_SEEDS = 3  # below it neither a t-test nor an interval is worth its name
FEW_COMBINATIONS = 3  # below it two orders are equal or opposite by chance


def state_findings(study: StudyInputs, ledger: Ledger) -> None:
    r"""Enters \<Study>Finding<Name> for each finding, and \<Study>Lead<Name> for its first sentence."""
    say = partial(ledger.state, study.name)
    for name, (table, finding) in FINDINGS.items():
        sentences, how = finding(study, say), f"drawn by code: {finding.__module__}.{finding.__name__}"
        say(f"Lead {name}", sentences[0], table, f"a sentence {how}")
        say(f"Finding {name}", " ".join(sentences), table, f"sentences {how}")


def effects_of(study: StudyInputs) -> pd.DataFrame:
    """The decomposition's rows for factors and interactions, largest share first."""
    table = study.table("variance")
    effects = table[~table["term"].isin([SEED, RESIDUAL])]
    return effects.sort_values("share", ascending=False, kind="stable")


def _final(study: StudyInputs) -> str:
    return escape(study.score.final)


def variance_finding(study: StudyInputs, say: Say) -> list[str]:
    """Which factor or interaction carries most of the variation, and whether it is ahead of the next."""
    effects = effects_of(study)
    if effects.empty:
        return ["No factor has more than one level, so there is no variation to divide."]
    if effects["share"].isna().all():
        return ["All runs score alike, so there is no variation to divide."]
    first = effects.iloc[0]
    term = say("Top Term", escape(term_label(first["term"])), "variance", "the term with the largest share")
    share = say("Top Share", percentage(first["share"], 1), "variance", f"share of {first['term']}")
    text = f"The largest share of the variation in {_final(study)} belongs to {term}: {share}"
    if study.seeds >= FEW_SEEDS:
        bounds = interval(first["low"], first["high"], 1)
        bounds = say("Top Interval", bounds, "variance", "bootstrap over seeds")
        text += f" (\\Level{{}} interval {bounds})"
    return [f"{text}{_next_term(study, say, effects)}.", *_interactions(effects, say)]


def _next_term(study: StudyInputs, say: Say, effects: pd.DataFrame) -> str:
    if len(effects) < 2:
        return ""
    first, second = effects.iloc[0], effects.iloc[1]
    term = say("Second Term", escape(term_label(second["term"])), "variance", "the term with the second share")
    share = say("Second Share", percentage(second["share"], 1), "variance", f"share of {second['term']}")
    if study.seeds < FEW_SEEDS:
        return f", followed by {term} with {share}; there are too few seeds for intervals"
    if second["high"] < first["low"]:
        return f", ahead of {term} with {share}"
    return f"; {term} follows with {share}, and as the intervals overlap the two are not told apart"


def _interactions(effects: pd.DataFrame, say: Say) -> list[str]:
    joint = effects["term"].str.contains(":")
    if not joint.any():
        return []
    together, alone = effects["share"][joint].sum(), effects["share"][~joint].sum()
    share = say("Interaction Share", percentage(together, 1), "variance", "sum of the interactions' shares")
    rest = say("Main Share", percentage(alone, 1), "variance", "sum of the single factors' shares")
    if together > alone:
        meaning = "so no factor can be judged without the others"
    else:
        meaning = "so the factors' own averages describe most of what the design explains"
    return [f"All interactions together carry {share}, the factors by themselves {rest}, {meaning}."]


def best_finding(study: StudyInputs, say: Say) -> list[str]:
    """The best combination, and whether it can be told apart from the runner-up and from the rest."""
    table = study.table("ranking")
    first = table.iloc[0]
    selection = dict(first[study.factors])
    mean = say("Best Mean", quantity(study.score, first["mean"]), "ranking", "mean over seeds", selection)
    tied = int((table["rank"] == 1).sum())
    if len(table) == 1:
        return [f"The grid has a single combination, whose mean {_final(study)} is {mean}."]
    if tied > 1:
        ties = say("Best Ties", count(tied), "ranking", "combinations of rank 1")
        return [f"The best mean {_final(study)}, {mean}, is shared by {ties} combinations."]
    name = say("Best Combination", _combination(first, study), "ranking", "rank 1", selection)
    text = f"The best combination is {name}, with a mean {_final(study)} of {mean}"
    if study.seeds < FEW_SEEDS:
        runner = _runner_up(table, study, say)
        return [f"{text}.", f"There are too few seeds to test it against the runner-up, {runner}."]
    bounds = say("Best Interval", between(study.score, first["low"], first["high"]), "ranking", "bootstrap", selection)
    return [f"{text} (\\Level{{}} interval {bounds}).", _against_the_rest(table, study, say)]


def _combination(row: pd.Series, study: StudyInputs) -> str:
    return ", ".join(escape(label(row[factor])) for factor in study.factors)


def _runner_up(table: pd.DataFrame, study: StudyInputs, say: Say) -> str:
    second = table.iloc[1]
    selection = dict(second[study.factors])
    name = say("Second Combination", _combination(second, study), "ranking", "second row", selection)
    mean = say("Second Mean", quantity(study.score, second["mean"]), "ranking", "mean over seeds", selection)
    return f"{name} ({mean})"


def _against_the_rest(table: pd.DataFrame, study: StudyInputs, say: Say) -> str:
    second, others = table.iloc[1], table.iloc[1:]
    how = "paired t-test against rank 1, Holm over all combinations"
    if pd.isna(second["p_best"]):
        verdict = "It leads by the same amount in every seed, which leaves no test against"
        evidence = ""
    else:
        able = "" if second["p_best"] < ALPHA else "not "
        verdict = f"It is {able}distinguishable from"
        p = say("Second P", p_phrase(second["p_best"]), "ranking", how, dict(second[study.factors]))
        evidence = f", after Holm's correction ({p})"
    text = f"{verdict} the runner-up, {_runner_up(table, study, say)}{evidence}"
    if len(others) == 1:
        return f"{text}."
    close = say("Close To Best", count((others["p_best"] >= ALPHA).sum()), "ranking", f"not significant: {how}")
    rest = say("Other Combinations", count(len(others)), "ranking", "rows but the first")
    return f"{text}; of all {rest} other combinations, {close} cannot be told apart from it."


def order_finding(study: StudyInputs, say: Say) -> list[str]:
    """Whether learning fast and ending well are the same thing here."""
    final, area = (study.table("ranking", measure) for measure in study.score.measures)
    if len(final) < FEW_COMBINATIONS:
        return ["There are too few combinations to compare their orders by final score and by curve area."]
    if final["mean"].nunique() < 2 or area["mean"].nunique() < 2:
        return ["By at least one measure all combinations score alike, so there are no orders to compare."]
    both = final.merge(area, on=study.factors, suffixes=("_final", "_area"))
    rho = float(spearmanr(both["mean_final"], both["mean_area"]).statistic)
    value = say("Rank Correlation", number(rho), "ranking", "Spearman's correlation of the measures' means")
    alike = "nearly alike" if rho >= 0.9 else "similarly" if rho >= 0.5 else "differently"
    text = f"Final score and learning-curve area order the combinations {alike}"
    return [f"{text} (Spearman's $\\rho$ is {value}).", _leaders(study)]


def _leaders(study: StudyInputs) -> str:
    differ = []
    for factor in study.factors:
        final, area = (_leader(study, measure, factor) for measure in study.score.measures)
        if final != area:
            differ.append(f"for {escape(label(factor))} {final} leads by final score and {area} by area")
    if not differ:
        return "Each factor's leading level is the same by both."
    return f"The leading level is not always the same: {listed(differ)}."


def _leader(study: StudyInputs, measure: str, factor: str) -> str:
    table = study.table("levels", measure)
    table = table[table["factor"] == factor]
    return escape(label(table["level"].iloc[(study.score.sign * table["mean"]).argmax()]))


def seed_finding(study: StudyInputs, say: Say) -> list[str]:
    """How much is luck."""
    table = study.table("variance").set_index("term")
    seed, rest = table.loc[SEED], table.loc[RESIDUAL]
    if study.seeds < 2:
        return ["With a single seed, what the seed decides cannot be estimated."]
    if pd.isna(seed["share"]):
        return ["As all runs score alike, the seed decides nothing."]
    own = say("Seed Share", percentage(seed["share"], 1), "variance", "share of the seed")
    residual = say("Residual Share", percentage(rest["share"], 1), "variance", "share of the residual")
    text = f"The seed by itself carries {own}, and its interactions with the factors {residual}"
    if pd.isna(seed["p"]):
        return [f"{text}; without a residual there is no test of it."]
    p = say("Seed P", p_phrase(seed["p"]), "variance", "F-test of the seed against the residual")
    verdict = "some seeds are better throughout" if seed["p"] < ALPHA else "no seed stands out throughout"
    return [f"{text}: {verdict} ({p})."]


def pairs_finding(study: StudyInputs, say: Say) -> list[str]:
    """For each factor, how many pairs of its levels differ, and what the number of seeds allows to say."""
    table = study.table("pairs")
    held = [escape(label(factor)) for factor in study.factors if len(study.axes[factor]) == 1]
    single = [f"Held at a single level, and so not compared: {listed(held)}."] if held else []
    if table.empty:
        return ["No factor has two levels to compare.", *single]
    if study.seeds < FEW_SEEDS:
        return ["There are too few seeds to test levels against each other, so no verdict is given.", *single]
    texts = [_family(study, str(factor), rows, say) for factor, rows in table.groupby("factor", sort=False)]
    floor = 2 / 2**study.seeds
    least = say("Least P", f"$p={floor:.4g}$", "pairs", "2 / 2^seeds, the least p of the sign-flip test")
    bound = f"With this number of seeds the exact sign-flip test cannot fall below {least}"
    able = "can" if floor < ALPHA else "cannot"
    reach = f"{bound}, so by itself it {able} reach the \\AlphaPercent{{}} level."
    return [f"After Holm's correction, {'; '.join(texts)}.", reach, *single]


def _family(study: StudyInputs, factor: str, rows: pd.DataFrame, say: Say) -> str:
    differ = rows[rows["p_holm"] < ALPHA]
    name = escape(label(factor))
    if len(rows) == 1 and differ.empty:
        return f"the two levels of {name} cannot be told apart"
    if len(rows) == 1:
        return f"the two levels of {name} differ: {_gap(study, factor, differ, say)}"
    total = say(f"{factor} Pairs", count(len(rows)), "pairs", f"pairs of {factor}")
    if differ.empty:
        return f"none of the {total} pairs of {name} can be told apart"
    amount = say(f"{factor} Differ", count(len(differ)), "pairs", f"pairs of {factor} with p_holm below alpha")
    return (
        f"{amount} of the {total} pairs of {name} differ, the furthest apart being {_gap(study, factor, differ, say)}"
    )


def _gap(study: StudyInputs, factor: str, differ: pd.DataFrame, say: Say) -> str:
    """Which two levels of those that differ are furthest apart, and by how much."""
    top = differ.iloc[differ["difference"].abs().argmax()]
    better, worse = (top["a"], top["b"]) if study.score.sign * top["difference"] > 0 else (top["b"], top["a"])
    how = f"largest difference of {factor}"
    gap = say(f"{factor} Gap", apart(study.score, abs(top["difference"])), "pairs", how, {factor: [better, worse]})
    return f"{escape(label(better))} over {escape(label(worse))} by {gap}"


FINDINGS: dict[str, tuple[str, Callable[[StudyInputs, Say], list[str]]]] = {
    "Variance": ("variance", variance_finding),
    "Best": ("ranking", best_finding),
    "Failures": ("divergence", failures_finding),
    "Order": ("ranking", order_finding),
    "Seed": ("variance", seed_finding),
    "Pairs": ("pairs", pairs_finding),
}
