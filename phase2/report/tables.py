"""The tables of a study: what was chosen and its baselines, the ranking, levels, pairs, shares of variance, failures."""

import math
from typing import Any

import pandas as pd

from phase2.report.inputs import BASELINE, StudyInputs
from phase2.report.latex import between, count, escape, number, p_value, percent, score_text, signed, title_of
from phase2.report.tabular import Table
from phase2.stats.interval import ENOUGH, LEVEL
from phase2.study.score import head
from phase2.words.levels import crossed, label, term_label

SPREAD = (
    rf"in brackets the {LEVEL:.0%} interval over $n$ seeds".replace("%", r"\%")
    + f", or with fewer than {ENOUGH} seeds the least and the most"
)


def tables_of(study: StudyInputs) -> list[Table]:
    """The tables of a study in the order of print, without those that would be empty."""
    makers = [chosen_table, ranking_table, levels_table, pairs_table, variance_table, failures_table]
    return [table for make in makers if (table := make(study)).rows]


def spread(study: StudyInputs, row: Any) -> str:
    """The interval of a mean over seeds, or where there is none for want of seeds, their range."""
    if math.isfinite(row["low"]) and math.isfinite(row["high"]):
        return between(study.score, row["low"], row["high"])
    if not math.isfinite(row["least"]):
        return ""
    return f"{score_text(study.score, row['least'])} to {score_text(study.score, row['most'])}"


def setting_of(study: StudyInputs) -> str:
    """The combination that validation chose, as words."""
    return escape(crossed(study.tables["chosen"], study.factors).iloc[0]) or "the only one"


def chosen_table(study: StudyInputs) -> Table:
    """The setting that validation chose, and what guessing and a linear model reach."""
    row = study.tables["chosen"].iloc[0]
    rows = [
        [setting_of(study), score_text(study.score, row["val_mean"]), score_text(study.score, row["test_mean"])]
        + [spread(study, row), count(row["n"]), count(row["failed"])]
    ]
    selections: list[dict[str, Any]] = [{factor: row[factor] for factor in study.factors}]
    if BASELINE in study.tables:
        baseline = study.tables[BASELINE]
        scores = zip(baseline["model"], baseline["val_score"], baseline["test_score"], strict=True)
        rows += [
            [BASELINES.get(model, escape(model)), score_text(study.score, val), score_text(study.score, test)]
            + ["", "", ""]
            for model, val, test in scores
        ]
        selections += [{}] * len(baseline)
    heads = ["Setting", "Validation", "Test", "", "$n$", "Failed"]
    caption = (
        rf"What validation chose, its {_measured(study, 'test')} ({SPREAD}), and what needs no network: the test images "
        "are read for this row alone."
    )
    return _table(study, "chosen", "lrrlrr", heads, rows, caption, selections)


BASELINES = {"majority": "the largest class", "logistic": "logistic regression on the pixels"}


def ranking_table(study: StudyInputs) -> Table:
    """All combinations, the best first."""
    ranking = study.table("ranking")
    rows = [
        [count(row["rank"]), *_levels(study, row), score_text(study.score, row["mean"]), spread(study, row)]
        + [count(row["n"]), count(row["failed"]), signed(study.score, row["behind"])]
        + [between(study.score, row["behind_low"], row["behind_high"]), YES.get(row["may_be_best"], "")]
        for _, row in ranking.iterrows()
    ]
    heads = ["", *_heads(study), "Mean", "", "$n$", "Failed", "Behind", "", "Best?"]
    caption = (
        rf"All combinations by {_measured(study)}: mean over seeds, {SPREAD}; behind the best of the others, with "
        r"simultaneous intervals by Hsu's comparisons with the best; Best?: whether it may be the best."
    )
    selections = [{factor: row[factor] for factor in study.factors} for _, row in ranking.iterrows()]
    return _table(study, "ranking", "r" + "l" * len(study.factors) + "rlrrrll", heads, rows, caption, selections)


YES = {True: "yes", False: "no", "True": "yes", "False": "no"}


def levels_table(study: StudyInputs) -> Table:
    """Every level's mean over the other factors."""
    levels = study.table("levels")
    rows = [
        [name, escape(label(row["level"])), score_text(study.score, row["mean"]), spread(study, row)]
        + [count(row["n"]), count(row["failed"])]
        for name, (_, row) in zip(_factors(levels), levels.iterrows(), strict=True)
    ]
    heads = ["Factor", "Level", "Mean", "", "$n$", "Failed"]
    caption = rf"Each level averaged over what finished of the other factors: {_measured(study)}, {SPREAD}."
    selections = [{row["factor"]: row["level"]} for _, row in levels.iterrows()]
    return _table(study, "levels", "llrlrr", heads, rows, caption, selections)


def pairs_table(study: StudyInputs) -> Table:
    """All paired comparisons of levels; no rows if no factor has two levels."""
    pairs = study.table("pairs")
    rows = [
        [name, f"{escape(label(row['a']))} -- {escape(label(row['b']))}", signed(study.score, row["difference"])]
        + [spread(study, row), p_value(row["p_t"]), p_value(row["p_holm"]), number(row["effect"]), count(row["n"])]
        + [f"{count(row['failed_a'])}, {count(row['failed_b'])}"]
        for name, (_, row) in zip(_factors(pairs), pairs.iterrows(), strict=True)
    ]
    heads = ["Factor", "Levels", "Difference", "", "$p_t$", r"$p_\mathrm{Holm}$", "$g_z$", "$n$", "Failed"]
    differences = head(f"differences of {study.score.final}", study.score.points)
    caption = (
        f"Paired {escape(differences)}, first level minus second, seed by seed, {SPREAD}; paired $t$-test, the same "
        r"after Holm's correction within the factor, and effect size ($d_z$ with Hedges' correction)."
    )
    selections = [{row["factor"]: [row["a"], row["b"]]} for _, row in pairs.iterrows()]
    return _table(study, "pairs", "llrlrrrrr", heads, rows, caption, selections)


def variance_table(study: StudyInputs) -> Table:
    """The decomposition of the score; no rows for a design of one factor or with failures, which has no shares."""
    variance = study.table("variance")
    rows = [
        [escape(term_label(row["term"])), count(row["df"]), percent(row["share"], 1), number(row["omega2"])]
        + [number(row["F"], 1), p_value(row["p"])]
        for _, row in variance.iterrows()
        if math.isfinite(row["share"])
    ]
    heads = ["Term", "df", r"Share (\%)", r"$\omega^2_p$", "$F$", "$p$"]
    caption = (
        rf"Analysis of variance of {escape(study.score.final)}: share of the total sum of squares, partial $\omega^2$, "
        "$F$ and $p$."
    )
    return _table(study, "variance", "lrrrrr", heads, rows, caption)


def failures_table(study: StudyInputs) -> Table:
    """The combinations with a diverged or stuck cell; no rows if there are none."""
    table = study.tables["divergence"]
    failed = table[table["diverged"] + table["stuck"] > 0]
    rows = [
        [*_levels(study, row), *(count(row[name]) for name in ("cells", "diverged", "stuck", "median_step"))]
        for _, row in failed.iterrows()
    ]
    heads = [*_heads(study), "Runs", "Diverged", "Stuck", "Median step"]
    caption = "Combinations in which a run diverged or ended at chance, and the median step of divergence."
    selections = [{factor: row[factor] for factor in study.factors} for _, row in failed.iterrows()]
    return _table(study, "divergence", "l" * len(study.factors) + "rrrr", heads, rows, caption, selections)


def _table(
    study: StudyInputs,
    name: str,
    align: str,
    heads: list[str],
    rows: list[list[str]],
    caption: str,
    selections: list[dict[str, Any]] | None = None,
) -> Table:
    how = "phase2.stats of the table of cells"
    where = f"tables/{study.name}/{name}.csv"
    key, titled = f"{study.name}:{name}", f"{title_of(study.name)}: {caption[0].lower()}{caption[1:]}"
    return Table(key, titled, align, heads, rows, where, how, study.name, selections or [])


def _measured(study: StudyInputs, part: str = "validation") -> str:
    return escape(study.score.on(part))


def _heads(study: StudyInputs) -> list[str]:
    return [escape(label(factor)).capitalize() for factor in study.factors]


def _levels(study: StudyInputs, row: pd.Series) -> list[str]:
    return [escape(label(row[factor])) for factor in study.factors]


def _factors(table: pd.DataFrame) -> list[str]:
    """The factor of each row, where it is another than the row's before."""
    names = table["factor"].map(lambda factor: escape(label(factor)))
    return list(names.mask(table["factor"].eq(table["factor"].shift()), ""))
