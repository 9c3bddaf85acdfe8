"""The companion: the whole record of a run, for any configuration. Every study, probe, derivation and definition."""

from typing import get_args

from phase2.report import probe_tables, tables
from phase2.report.claims import claim_lines
from phase2.report.figures import figures_of
from phase2.report.inputs import ProbeInputs, Record, StudyInputs, Subject
from phase2.report.latex import MISSING, count, described, escape, lines, listed, sentence, title_of
from phase2.report.macros import Ledger
from phase2.report.spec import spec_table
from phase2.report.tabular import Behind, Table, wrapped
from phase2.study.section import Chapter
from phase2.words.levels import label

DEFINED = ("activation", "norm", "init", "schedule")  # the kinds of parts that are factors with definitions


def chapters(record: Record, ledger: Ledger) -> str:
    """A section a chapter, in it a subsection for every study and probe."""
    parts = [
        lines(rf"\section{{{chapter.capitalize()}}}", *(_subject(each, record, ledger) for each in record.of(chapter)))
        for chapter in get_args(Chapter)
        if record.of(chapter)
    ]
    return lines(*parts)


def _subject(subject: Subject, record: Record, ledger: Ledger) -> str:
    """The question and what was run, on one page; its claims with their verdicts, then figures and tables."""
    made = tables.tables_of(subject) if isinstance(subject, StudyInputs) else probe_tables.tables_of(subject)
    return lines(
        r"\Needspace{200bp}",
        rf"\subsection{{{title_of(subject.name)}}}\label{{sec:{subject.name}}}",
        rf"{{\samepage\emph{{{sentence(subject.section.question)}}}\par\nopagebreak",
        rf"{spec_table(subject)}}}",
        claim_lines([claim for claim in record.claims if claim.subject == subject.name]),
        *figures_of(subject, ledger),
        *(ledger.show(table).floating() for table in made),
        r"\FloatBarrier",
    )


def definitions_table(studies: list[StudyInputs]) -> Table:
    """The activations, normalizations, initializations and schedules in use, each with its formula."""
    rows = []
    for kind in DEFINED:
        used = dict.fromkeys(level for study in studies for level in study.levels_of(kind))
        for place, name in enumerate(used):
            head = "" if place else escape(label(kind)).capitalize()
            rows.append([head, escape(label(name)), described(kind, name)])
    caption = (
        r"What the levels mean. An activation is of the pre-activation $x$; $\sigma$ is the logistic function, $\Phi$ "
        r"the standard normal distribution function. An initialization draws the weights of a layer with "
        r"$n_\mathrm{in}$ inputs and $n_\mathrm{out}$ outputs; biases start at zero. A schedule gives the learning "
        r"rate after $t$ of $T$ steps, when the part $u = t/T$ of the training is done; $\eta$ is the peak. Of a norm "
        r"$\mu$ and $v$ are mean and variance, $\epsilon$ is small, and $\gamma$ and $\beta$ are learnt."
    )
    heads = ["Factor", "Level", "Definition"]
    return Table("definitions", caption, wrapped(68, 92, 302), heads, rows, "config.yaml", "the cards of the parts")


def provenance_table(record: Record) -> Table:
    """A row for each study and probe: at which commit, with which code and torch, on which data it was made."""
    made = [*map(_of_study, record.studies), *map(_of_probe, record.probes)]
    rows = [
        [title_of(subject.name), *map(_distinct, values)] for subject, values in zip(record.subjects, made, strict=True)
    ]
    caption = (
        "What each study's runs and each probe were made with: commits, code fingerprints and data hashes by their "
        "first digits. A fingerprint covers the components that a run names, so runs of different components have "
        "different ones, which \\texttt{phase2 trace} tells."
    )
    heads, behind = ["", "Commit", "Code", "Data", "torch", "Device"], [Behind(each.name) for each in record.subjects]
    widths, how = wrapped(110, 78, 78, 78, 40, 62), "the distinct values"
    return Table("provenance", caption, widths, heads, rows, "tables/*/cells.csv", how, behind=behind)


def shipped_table(record: Record) -> Table:
    """Of a run of shipped cells a row for each study: which commits and machines trained it, in how many hours, and for
    how many of its cells the code has changed since.
    """
    rows = []
    for study in record.studies:
        cells = study.tables["cells"]
        commits, machines = (cells[column].dropna().astype(str).unique() for column in ("commit", "machine"))
        rows.append(
            [
                title_of(study.name),
                listed([rf"\texttt{{{escape(commit[:7])}}}" for commit in commits]),
                escape("; ".join(machines)),
                f"{cells['seconds'].sum() / 3600:.1f}",
                f"{count(cells['changed'].sum())} of {count(len(cells))}",
            ]
        )
    caption = (
        "What trained the cells, which this run shows and did not train: commits, machines, the hours of all of a "
        "study's cells, and for how many of them the code has changed since."
    )
    heads, behind = ["", "Commits", "Machine", "Hours", "Changed"], [Behind(each.name) for each in record.studies]
    widths, how = wrapped(100, 80, 170, 40, 50), "the distinct values, sums of seconds, comparisons with today's code"
    return Table("shipped", caption, widths, heads, rows, "tables/*/cells.csv", how, behind=behind)


def _of_study(study: StudyInputs) -> list[list[str]]:
    cells = study.tables["cells"]
    columns = ("commit", "code", "data", "torch", "device")
    return [[str(value) for value in cells[column].dropna().unique()] for column in columns]


def _of_probe(probe: ProbeInputs) -> list[list[str]]:
    made = probe.provenance
    commit = [made["commit"]] if made["commit"] else []
    return [commit, [made["code"]], list(made["data"].values()), [made["packages"]["torch"]], []]


def _distinct(values: list[str]) -> str:
    """The one value, a hash by its first digits; or how many there are."""
    if len(values) > 1:
        return f"{count(len(values))} different"
    return rf"\texttt{{{escape(values[0][:12])}}}" if values else MISSING
