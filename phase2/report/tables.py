"""The report's tables: tidy results in, booktabs LaTeX out."""

from collections.abc import Callable

import pandas as pd

from phase2.report.inputs import DEFINED, StudyInputs
from phase2.report.latex import (
    MISSING,
    between,
    count,
    described,
    escape,
    interval,
    lines,
    listed,
    number,
    p_value,
    percent,
    score_text,
    signed,
)
from phase2.study.score import AREA, head
from phase2.words.levels import label, term_label

TOP = 10
FEW = 8  # values of one kind that a table of provenance lists


def tabular(table: pd.DataFrame, align: str) -> str:
    """A booktabs tabular of cells that are LaTeX already; heads are the column names."""
    return lines(
        rf"\begin{{tabular}}{{{align}}}",
        r"\toprule",
        *_head(table),
        r"\midrule",
        *_rows(table),
        r"\bottomrule",
        r"\end{tabular}",
    )


def floating(body: str, caption: str, key: str, wide: bool = False) -> str:
    """A table float, across both columns if `wide`; a body wider than that is shrunk to fit."""
    environment = "table*" if wide else "table"
    return lines(
        rf"\begin{{{environment}}}[!htb]",
        r"\centering\small",
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{key}}}",
        r"\begin{adjustbox}{max width=\linewidth}",
        body,
        r"\end{adjustbox}",
        rf"\end{{{environment}}}",
    )


def long(table: pd.DataFrame, align: str, caption: str, key: str) -> str:
    """A table that breaks over pages and repeats its head."""
    head = [*_head(table), r"\midrule"]
    return lines(
        r"\begingroup\footnotesize",
        rf"\begin{{longtable}}{{{align}}}",
        rf"\caption{{{caption}}}\label{{tab:{key}}}\\",
        r"\toprule",
        *head,
        r"\endfirsthead",
        r"\toprule",
        *head,
        r"\endhead",
        r"\bottomrule",
        r"\endfoot",
        *_rows(table),
        r"\end{longtable}",
        r"\endgroup",
    )


def _head(table: pd.DataFrame) -> list[str]:
    return [" & ".join(map(str, table.columns)) + r" \\"]


def _rows(table: pd.DataFrame) -> list[str]:
    return [" & ".join(map(str, row)) + r" \\" for row in table.itertuples(index=False)]


def _labels(values: pd.Series) -> pd.Series:
    return values.map(lambda value: escape(label(value)))


def _heads(study: StudyInputs) -> dict[str, str]:
    return {factor: escape(label(factor)).capitalize() for factor in study.factors}


def _shares(table: pd.DataFrame) -> list[str]:
    return [interval(low, high, 1) for low, high in zip(table["low"], table["high"], strict=True)]


def _intervals(study: StudyInputs, table: pd.DataFrame) -> list[str]:
    return [between(study.score, low, high) for low, high in zip(table["low"], table["high"], strict=True)]


def _values(study: StudyInputs, column: pd.Series) -> pd.Series:
    return column.map(lambda worth: score_text(study.score, worth))


def _named(study: StudyInputs, measure: str | None = None) -> str:
    """A measure with its unit, in a sentence."""
    return escape(study.score.in_unit(study.score.name(measure or study.score.column)))


def design_table(study: StudyInputs) -> str:
    """The factors with their levels, and the seeds."""
    rows = [
        (
            escape(label(axis)).capitalize(),
            count(len(levels)),
            listed([escape(label(level)) for level in levels]),
        )
        for axis, levels in study.axes.items()
    ]
    body = tabular(pd.DataFrame(rows, columns=["Axis", "Levels", ""]), r"lrp{\levelswidth}")
    return floating(body, rf"The grid of \texttt{{{escape(study.name)}}}.", f"{study.name}:design")


def ranking_table(study: StudyInputs) -> str:
    """The best combinations by final score, with their rank by learning-curve area."""
    top = study.table("ranking").head(TOP)
    area = study.table("ranking", AREA)
    if study.factors:
        top = top.merge(area[[*study.factors, "rank"]], on=study.factors, how="left", suffixes=("", "_area"))
    else:
        top = top.assign(rank_area=area["rank"])
    printed = pd.DataFrame({"": top["rank"].map(count)})
    for factor, name in _heads(study).items():
        printed[name] = _labels(top[factor])
    printed["Mean"] = _values(study, top["mean"])
    printed["Interval"] = _intervals(study, top)
    printed["$p$"] = top["p_best"].map(p_value)
    printed["Area rank"] = top["rank_area"].map(count)
    caption = (
        rf"The best combinations by mean {_named(study)}, with the interval over seeds; $p$: "
        r"paired $t$-test against the first row, Holm-adjusted over all combinations; "
        "Area rank: the rank by learning-curve area."
    )
    return floating(tabular(printed, "r" + "l" * len(study.factors) + "rlrr"), caption, f"{study.name}:ranking", True)


def levels_table(study: StudyInputs) -> str:
    """Every level's mean over the other factors, by both measures."""
    final, area = study.table("levels"), study.table("levels", AREA)
    repeated = final["factor"].eq(final["factor"].shift())
    printed = pd.DataFrame(
        {
            "Factor": _labels(final["factor"]).mask(repeated, ""),
            "Level": _labels(final["level"]),
            "Score": _values(study, final["mean"]),
            "Interval": _intervals(study, final),
            "Area": _values(study, area["mean"]),
            "Interval ": _intervals(study, area),
        }
    )
    caption = (
        f"Each level averaged over the other factors: {_named(study)} and {_named(study, AREA)}, with "
        "intervals over seeds. A diverged cell counts at chance."
    )
    return floating(tabular(printed, "llrlrl"), caption, f"{study.name}:levels", wide=True)


def variance_table(study: StudyInputs) -> str:
    """The decomposition of the final score and of learning-curve area."""
    final, area = study.table("variance"), study.table("variance", AREA)
    printed = pd.DataFrame(
        {
            "Term": [escape(term_label(term)) for term in final["term"]],
            "df": final["df"].map(count),
            "Share": final["share"].map(lambda x: percent(x, 1)),
            "Interval": _shares(final),
            r"$\omega^2_p$": final["omega2"].map(number),
            "$F$": final["F"].map(lambda x: number(x, 1)),
            "$p$": final["p"].map(p_value),
            "Area": area["share"].map(lambda x: percent(x, 1)),
            "Interval ": _shares(area),
        }
    )
    caption = (
        r"Analysis of variance: share of the total sum of squares in percent with its interval over seeds, "
        rf"partial $\omega^2$, $F$ and $p$ for {escape(study.score.final)}, and the share for "
        f"{study.score.name(AREA)}."
    )
    return floating(tabular(printed, "lrrlrrrrl"), caption, f"{study.name}:variance", wide=True)


def pairs_table(study: StudyInputs) -> str:
    """All paired comparisons of levels, by both measures; empty if no factor has two levels."""
    parts = []
    for measure in study.score.measures:
        pairs = study.table("pairs", measure)
        if pairs.empty:
            continue
        parts.append(
            long(_pairs(study, pairs), "llrlrrrr", _pairs_caption(study, measure), f"{study.name}:pairs:{measure}")
        )
    return lines(*parts)


def _pairs(study: StudyInputs, pairs: pd.DataFrame) -> pd.DataFrame:
    versus = [f"{escape(label(a))} -- {escape(label(b))}" for a, b in zip(pairs["a"], pairs["b"], strict=True)]
    return pd.DataFrame(
        {
            "Factor": _labels(pairs["factor"]).mask(pairs["factor"].eq(pairs["factor"].shift()), ""),
            "Levels": versus,
            "Difference": pairs["difference"].map(lambda gap: signed(study.score, gap)),
            "Interval": _intervals(study, pairs),
            "$p_t$": pairs["p_t"].map(p_value),
            r"$p_\mathrm{Holm}$": pairs["p_holm"].map(p_value),
            r"$p_\mathrm{flip}$": pairs["p_signflip"].map(p_value),
            "$g_z$": pairs["effect"].map(number),
        }
    )


def _pairs_caption(study: StudyInputs, measure: str) -> str:
    differences = head(f"differences of {study.score.name(measure)}", study.score.points)
    return (
        f"Paired {escape(differences)}, first level minus second: "
        "interval over seeds, paired $t$-test, the same after Holm's correction within the factor, exact "
        r"sign-flip test, and effect size ($d_z$ with Hedges' correction)."
    )


def failures_table(study: StudyInputs) -> str:
    """The combinations with a diverged or stuck cell; a sentence if there are none."""
    table = study.tables["divergence"]
    failed = table[table["diverged"] + table["stuck"] > 0]
    if failed.empty:
        return "No combination has a diverged or stuck cell, so there is no table of failures."
    printed = pd.DataFrame({name: _labels(failed[factor]) for factor, name in _heads(study).items()})
    counts = {"Cells": "cells", "Diverged": "diverged", "Stuck": "stuck"}
    printed = printed.assign(**{name: failed[column].map(count) for name, column in counts.items()})
    printed["Median step"] = failed["median_step"].map(count)
    caption = "Combinations in which a seed diverged or ended at chance, and the median step of divergence."
    return long(printed, "l" * len(study.factors) + "rrrr", caption, f"{study.name}:failures")


def components_table(studies: list[StudyInputs]) -> str:
    """The activations, initializations and schedules in use, each with its formula."""
    rows = []
    for kind in DEFINED:
        used = dict.fromkeys(level for study in studies for level in study.levels_of(kind))
        for place, name in enumerate(used):
            head = "" if place else escape(label(kind)).capitalize()
            rows.append((head, escape(label(name)), described(kind, name)))
    body = tabular(pd.DataFrame(rows, columns=["Factor", "Level", "Definition"]), "lll")
    return floating(body, COMPONENTS_CAPTION, "components", wide=True)


COMPONENTS_CAPTION = (
    r"What the levels mean. An activation is of the pre-activation $x$; $\sigma$ is the logistic function, "
    r"$\Phi$ the standard normal distribution function. An initialization draws the weights of a layer with "
    r"$n_\mathrm{in}$ inputs and $n_\mathrm{out}$ outputs; biases start at zero. A schedule gives the "
    r"learning rate when a part $u$ of the training is done; $\eta$ is the peak."
)


def provenance_table(studies: list[StudyInputs]) -> str:
    """For each study, how many cells stand behind each commit, code, data, release of torch and device."""
    rows = []
    for study in studies:
        cells = study.tables["cells"]
        for column in ("commit", "code", "data", "torch", "device"):
            amounts = cells[column].fillna(MISSING).value_counts(sort=False)
            values = [(rf"\texttt{{{escape(str(value)[:12])}}}", amount) for value, amount in amounts.items()]
            if len(values) > FEW:
                values = [(f"{count(len(values))} different, traced by \\texttt{{phase2 trace}}", len(cells))]
            rows += [(rf"\texttt{{{escape(study.name)}}}", column, value, count(amount)) for value, amount in values]
    table = pd.DataFrame(rows, columns=["Study", "What", "Value", "Cells"])
    caption = (
        "What the cells were trained with: commits, code fingerprints and data hashes by their first digits. A "
        "fingerprint covers the components that a cell names, so cells of different components have different ones."
    )
    return long(table, "lllr", caption, "provenance")


STUDY_TABLES: dict[str, tuple[Callable[[StudyInputs], str], str]] = {
    "design": (design_table, "cells"),
    "ranking": (ranking_table, "ranking"),
    "levels": (levels_table, "levels"),
    "variance": (variance_table, "variance"),
    "pairs": (pairs_table, "pairs"),
    "failures": (failures_table, "divergence"),
}
