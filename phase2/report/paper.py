"""The short papers, report.pdf and optimization.pdf: of each chapter its claims, a table of its studies, a figure."""

from typing import get_args

from phase2.claims.claim import DRAWS, ROOM
from phase2.report.claims import Claim
from phase2.report.figures import figures_of
from phase2.report.inputs import BASELINE, Record, StudyInputs
from phase2.report.latex import count, escape, lines, quantity, score_text, sentence, title_of
from phase2.report.macros import Ledger
from phase2.report.tables import chosen_runs, setting_of, spread
from phase2.report.tabular import Behind, Table, wrapped
from phase2.stats.interval import ENOUGH, LEVEL
from phase2.study.section import Chapter

SPREAD = rf"with the {100 * LEVEL:g}\% interval over $n$ seeds, or of fewer than {ENOUGH} the least and the most"


def paper(record: Record, ledger: Ledger) -> str:
    """The body of a short paper, `record` being the part of the run that it tells."""
    chapters = [_chapter(record, chapter, ledger) for chapter in get_args(Chapter) if record.of(chapter)]
    return lines(*chapters, r"\section{What is missing}", _missing(record))


def _chapter(record: Record, chapter: Chapter, ledger: Ledger) -> str:
    claims = [claim for claim in record.claims if claim.chapter == chapter]
    studies = [study for study in record.studies if study.section.chapter == chapter]
    drawn = [subject for subject in record.of(chapter) if subject.section.figures]
    main = figures_of(drawn[0], ledger)[:1] if drawn else []
    return lines(
        rf"\section{{{chapter.capitalize()}}}",
        *([ledger.show(claims_table(claims, chapter)).long()] if claims else []),
        *main,
        r"\FloatBarrier",
        *([ledger.show(studies_table(studies, chapter)).long()] if studies else []),
        r"\FloatBarrier",
    )


def claims_table(claims: list[Claim], chapter: Chapter) -> Table:
    """The claims of a chapter with their verdicts and what stands behind each."""
    rows = [[claim.mark, claim.told, claim.evidence, claim.scale] for claim in claims]
    caption = (
        rf"{chapter.capitalize()}: the claims. \supported{{}} this run supports it, \denied{{}} denies it, "
        r"\cannotsay{} cannot say; registered: sentence and criterion were in git before the runs that decide it; "
        rf"exploratory: they were not. A verdict needs {100 * ROOM:g}\% of {DRAWS} resamplings of the seeds, in each "
        "of which the best levels are chosen anew, to say the same."
    )
    heads = ["", "Claim", "Numbers", "From"]
    widths, behind = wrapped(10, 205, 145, 102), [Behind(claim.subject) for claim in claims]
    return Table(f"claims:{chapter}", caption, widths, heads, rows, "claims.json", "phase2 claims", behind=behind)


def studies_table(studies: list[StudyInputs], chapter: Chapter) -> Table:
    """The studies of a chapter: what was asked, which setting validation chose, what it scores on the test images."""
    rows = [_study_row(study) for study in studies]
    caption = (
        rf"{chapter.capitalize()}: the studies. The answer is the setting that validation chose, with its test score "
        rf"({SPREAD}: training images, test images and baseline are fixed); the baseline is logistic regression on the "
        "raw pixels of the same images."
    )
    heads = ["Study", "Question", "Answer", "Test score", "Baseline", "$n$", "Steps"]
    files, how = "tables/*/chosen.csv", "phase2.stats of the tables of cells"
    widths, behind = wrapped(58, 132, 84, 70, 40, 14, 34), [chosen_runs(study) for study in studies]
    return Table(f"studies:{chapter}", caption, widths, heads, rows, files, how, behind=behind)


def _study_row(study: StudyInputs) -> list[str]:
    row = study.tables["chosen"].iloc[0]
    shown = f"{quantity(study.score, row['test_mean'])} {spread(study, row)}"
    names = [title_of(study.name), sentence(study.study.question), setting_of(study), shown]
    return [*names, _baseline(study), count(row["n"]), _steps(study)]


def _baseline(study: StudyInputs) -> str:
    if BASELINE not in study.tables:
        return ""
    scores = study.tables[BASELINE].set_index("model")["test_score"]
    return score_text(study.score, float(scores["logistic"]))


def _steps(study: StudyInputs) -> str:
    """The steps of the chosen setting's runs."""
    cells, chosen = study.tables["cells"], study.tables["chosen"][study.factors].astype(str).iloc[0]
    here = (cells[study.factors].astype(str) == chosen).all(axis=1)
    return count(cells.loc[here, "steps"].max())


def _missing(record: Record) -> str:
    """What failed, which claims could not be judged, and which runs diverged."""
    open_claims = [claim for claim in record.claims if claim.verdict == "cannot say" and claim.chapter]
    absent = sum(claim.chapter is None for claim in record.claims)
    lost = {study.name: int((study.tables["cells"]["status"] != "ok").sum()) for study in record.studies}
    lost = {name: failed for name, failed in lost.items() if failed}
    items = [rf"Failed, and left out: \texttt{{{escape(name)}}}." for name in record.config.missing]
    items += [
        rf"Of \texttt{{{escape(name)}}} {escape(told)} are not trained yet."
        for name, told in record.config.untrained.items()
    ]
    items += [f"Cannot be said: {escape(claim.name)} ({escape(claim.why)})." for claim in open_claims]
    items += [f"Claims about studies that this run lacks: {count(absent)}."] if absent else []
    items += [rf"{title_of(name)}: {count(failed)} of its runs diverged." for name, failed in lost.items()]
    if not items:
        return "Nothing: no study or probe failed, no run diverged, and every claim was judged."
    return lines(r"\begin{itemize}", *(rf"\item {item}" for item in items), r"\end{itemize}")
