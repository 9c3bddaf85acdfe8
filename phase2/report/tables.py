"""The tables of a study: what was chosen and its baselines, ranking, levels, pairs, shares of variance, failures."""

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from phase2.report.inputs import BASELINE, StudyInputs
from phase2.report.latex import MISSING, between, count, escape, number, p_value, percent, score_text, signed, title_of
from phase2.report.published import published_table
from phase2.report.tabular import Behind, Table
from phase2.study.score import head
from phase2.words.levels import crossed, label, term_label

Columns = list[tuple[str, str, list[str]]]  # of a table: head, alignment, cells
BASELINES = {"majority": "the largest class", "logistic": "logistic regression on the pixels"}
AT_CHANCE = "Runs that finished at chance are among them."
YES = {True: "yes", False: "no", "True": "yes", "False": "no"}


def tables_of(study: StudyInputs) -> list[Table]:
    """The tables of a study in the order of print, without those that would be empty."""
    makers = [published_table, chosen_table, ranking_table, levels_table, pairs_table, variance_table, failures_table]
    return [table for make in makers if (table := make(study)).rows]


def spread(study: StudyInputs, row: Any) -> str:
    """The interval of a mean over seeds, or where there is none for want of seeds, their range."""
    if math.isfinite(row["low"]) and math.isfinite(row["high"]):
        return between(study.score, row["low"], row["high"])
    if not math.isfinite(row["least"]) or row["n"] < 2:
        return ""
    return f"${score_text(study.score, row['least'])}$ to ${score_text(study.score, row['most'])}$"


def setting_of(study: StudyInputs) -> str:
    """The combination that validation chose, as words."""
    return escape(crossed(study.tables["chosen"], study.factors).iloc[0])


def chosen_runs(study: StudyInputs) -> Behind:
    """The runs of the combination that validation chose."""
    return _combinations(study, study.tables["chosen"])[0]


def chosen_table(study: StudyInputs) -> Table:
    """The setting that validation chose, and what guessing and a linear model reach."""
    chosen, none = study.tables["chosen"], pd.DataFrame(columns=["model", "val_score", "test_score"])
    baseline = study.tables.get(BASELINE, none)
    blank = [""] * len(baseline)
    columns: Columns = [
        ("Setting", "l", [setting_of(study), *(BASELINES.get(name, escape(name)) for name in baseline["model"])]),
        ("Validation", "r", _scores(study, [*chosen["val_mean"], *baseline["val_score"]])),
        ("Test", "r", _scores(study, [*chosen["test_mean"], *baseline["test_score"]])),
        ("", "l", [*_spreads(study, chosen), *blank]),
        ("$n$", "r", [*map(count, chosen["n"]), *blank]),
        ("Failed", "r", [*map(count, chosen["failed"]), *blank]),
    ]
    test = escape(study.score.on("test"))
    caption = f"What validation chose, with its {test}; and what needs no network."
    return _table(study, "chosen", caption, columns, [*_combinations(study, chosen), *(Behind() for _ in blank)])


def ranking_table(study: StudyInputs) -> Table:
    """All combinations, the best first."""
    ranking = study.table("ranking")
    columns: Columns = [
        ("", "r", [*map(count, ranking["rank"])]),
        *_levels(study, ranking),
        ("Mean", "r", _scores(study, ranking["mean"])),
        ("", "l", _spreads(study, ranking)),
        ("$n$", "r", [*map(count, ranking["n"])]),
        ("Failed", "r", [*map(count, ranking["failed"])]),
        ("Behind", "r", [signed(study.score, behind) for behind in ranking["behind"]]),
        ("", "l", [between(study.score, *ends) for ends in _ends(ranking, "behind_low", "behind_high")]),
        ("Best?", "l", [YES.get(known, "") for known in ranking["may_be_best"]]),
    ]
    caption = (
        f"All combinations by {_measured(study)}: mean over seeds; behind the best of the others, with "
        "simultaneous intervals of comparisons with the best; Best?: whether it may be the best: yes also stands for "
        "one whose runs spread too widely to rule it out. One that failed, or ended at chance, at some seed is not "
        "compared; one that failed stands last."
    )
    return _table(study, "ranking", caption, columns, _combinations(study, ranking))


def levels_table(study: StudyInputs) -> Table:
    """Every level's mean over the other factors."""
    levels = study.table("levels")
    columns: Columns = [
        ("Factor", "l", _factors(levels)),
        ("Level", "l", _labels(levels["level"])),
        ("Mean", "r", _scores(study, levels["mean"])),
        ("", "l", _spreads(study, levels)),
        ("$n$", "r", [*map(count, levels["n"])]),
        ("Failed", "r", [*map(count, levels["failed"])]),
    ]
    which = "those combinations of the other factors at which all of them finished"
    caption = f"Each level averaged over {which}: {_measured(study)}. {AT_CHANCE}"
    behind = [Behind(study.name, {factor: level}) for factor, level in _ends(levels, "factor", "level")]
    return _table(study, "levels", caption, columns, behind)


def pairs_table(study: StudyInputs) -> Table:
    """All paired comparisons of levels; no rows if no factor has two levels."""
    pairs = study.table("pairs")
    versus = [f"{a} -- {b}" for a, b in zip(_labels(pairs["a"]), _labels(pairs["b"]), strict=True)]
    columns: Columns = [
        ("Factor", "l", _factors(pairs)),
        ("Levels", "l", versus),
        ("Difference", "r", [signed(study.score, gap) for gap in pairs["difference"]]),
        ("", "l", _spreads(study, pairs)),
        ("$p_t$", "r", [*map(p_value, pairs["p_t"])]),
        (r"$p_\mathrm{Holm}$", "r", [*map(p_value, pairs["p_holm"])]),
        ("$g_z$", "r", [*map(number, pairs["effect"])]),
        ("$n$", "r", [*map(count, pairs["n"])]),
        ("Failed", "r", [f"{count(a)}, {count(b)}" for a, b in _ends(pairs, "failed_a", "failed_b")]),
    ]
    differences = escape(head(f"differences of {study.score.final}", study.score.points))
    caption = (
        f"Paired {differences}, first level minus second, seed by seed; paired $t$-test, the same after "
        r"Holm's correction within the factor, and effect size ($d_z$ with Hedges' correction). Over those "
        f"combinations of the other factors at which both finished. {AT_CHANCE}"
    )
    rows = zip(pairs["factor"], pairs["a"], pairs["b"], strict=True)
    return _table(study, "pairs", caption, columns, [Behind(study.name, {factor: [a, b]}) for factor, a, b in rows])


def variance_table(study: StudyInputs) -> Table:
    """The decomposition of the score, where there are shares; no rows for one factor, whose levels tell all of it."""
    variance = study.table("variance").dropna(subset="share")
    if not variance["term"].str.contains(":").any():
        variance = variance.iloc[:0]
    columns: Columns = [
        ("Term", "l", [escape(term_label(term)) for term in variance["term"]]),
        ("df", "r", [*map(count, variance["df"])]),
        (r"Share (\%)", "r", [percent(share, 1) for share in variance["share"]]),
        (r"$\omega^2_p$", "r", [*map(number, variance["omega2"])]),
        ("$F$", "r", [number(f, 1) for f in variance["F"]]),
        ("$p$", "r", [*map(p_value, variance["p"])]),
    ]
    tests = r", partial $\omega^2$, $F$ and $p$" if variance["F"].notna().any() else ""
    caption = (
        f"Analysis of variance of {escape(study.score.final)}: share of the total sum of squares{tests}, of the seeds "
        "at which every run finished."
    )
    return _table(study, "variance", caption, columns, [Behind(study.name)] * len(variance))


def failures_table(study: StudyInputs) -> Table:
    """The combinations with a diverged or stuck cell; no rows if there are none."""
    table = study.tables["divergence"]
    failed = table[table["diverged"] + table["stuck"] > 0]
    counts = {"Runs": "cells", "Diverged": "diverged", "Stuck": "stuck"}
    columns: Columns = [*_levels(study, failed)]
    columns += [(title, "r", [*map(count, failed[name])]) for title, name in counts.items()]
    columns.append(
        ("Median step", "r", [MISSING if math.isnan(step) else f"{step:,g}" for step in failed["median_step"]])
    )
    steps = ", and the median step of divergence" if failed["diverged"].any() else ""
    caption = f"Combinations in which a run diverged or ended at chance{steps}."
    return _table(study, "divergence", caption, columns, _combinations(study, failed))


def _table(study: StudyInputs, name: str, caption: str, columns: Columns, behind: list[Behind]) -> Table:
    told = [column for column in columns if not set(column[2]) <= {"", MISSING}]
    heads, aligns, cells = zip(*(told or columns), strict=True)
    titled = f"{title_of(study.name)}: {caption[0].lower()}{caption[1:]}"
    file, how = f"tables/{study.name}/{name}.csv", "phase2.stats of the table of cells"
    rows = list(zip(*cells, strict=True))
    return Table(f"{study.name}:{name}", titled, "".join(aligns), heads, rows, file, how, study.name, behind)


def _measured(study: StudyInputs) -> str:
    return escape(study.score.in_unit(study.score.final))


def _scores(study: StudyInputs, values: Iterable[float]) -> list[str]:
    return [score_text(study.score, value) for value in values]


def _spreads(study: StudyInputs, table: pd.DataFrame) -> list[str]:
    return [spread(study, row) for _, row in table.iterrows()]


def _ends(table: pd.DataFrame, one: str, other: str) -> list[tuple[Any, Any]]:
    return list(zip(table[one], table[other], strict=True))


def _labels(values: pd.Series) -> list[str]:
    return [escape(label(value)) for value in values]


def _levels(study: StudyInputs, table: pd.DataFrame) -> Columns:
    """A column for each factor."""
    return [(escape(label(factor)).capitalize(), "l", _labels(table[factor])) for factor in study.factors]


def _combinations(study: StudyInputs, table: pd.DataFrame) -> list[Behind]:
    """The runs of the combination in each row."""
    return [Behind(study.name, {factor: row[factor] for factor in study.factors}) for _, row in table.iterrows()]


def _factors(table: pd.DataFrame) -> list[str]:
    """The factor of each row, where it is another than the row's before."""
    names = pd.Series(_labels(table["factor"]), table.index)
    return list(names.mask(table["factor"].eq(table["factor"].shift()), ""))
