"""From a run's results to the report's generated sources, and from LaTeX sources to the PDF."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from phase2.data.disk import is_full, no_room, scratch_folder
from phase2.errors import UserError
from phase2.figures.catalog import drawing
from phase2.files import write_bytes, write_text
from phase2.report.compared import state_comparison
from phase2.report.conclusions import state_findings
from phase2.report.describe import state_run, state_study
from phase2.report.inputs import ProbeInputs, StudyInputs, get, read_environment, read_study
from phase2.report.latex import escape, lines
from phase2.report.macros import Ledger, Macro
from phase2.report.mastery import mastery_frame, mastery_table
from phase2.report.probes import read_probe, state_probe
from phase2.report.published import published_tables
from phase2.report.summary import state_summary
from phase2.report.tables import STUDY_TABLES, components_table, provenance_table
from phase2.study.section import Chapter, Document, document_of
from phase2.tex import macro_name

APPENDIX = ("pairs", "divergence")  # figures that say in full what the text sums up
INSTALL = (
    "sudo apt-get install latexmk biber texlive-latex-extra texlive-science texlive-fonts-recommended "
    "texlive-bibtex-extra"
)


def write_sources(run_dir: Path, out: Path, config: dict[str, Any], datasets: dict[str, dict[str, Any]]) -> None:
    """Writes `out`/generated (macros, tables, figures and sections as LaTeX) and `out`/trace.json.

    `run_dir` is results/<run>; `config` the resolved configuration as plain data; `datasets` the meta.json of
    each prepared dataset by name. Raises `UserError` for whatever is missing.
    """
    folder, ledger = out / "generated", Ledger()
    studies = [read_study(run_dir, name, config, datasets) for name in get(config, "studies")]
    probes = [read_probe(run_dir, name, config) for name in get(config, "probes")]
    state_run(config, read_environment(run_dir), studies, ledger)
    for study in studies:
        state_study(study, ledger)
        state_findings(study, ledger)
        state_comparison(study, ledger)
        _write_tables(study, folder / study.name, ledger)
        _write_figures(study, folder / study.name, ledger)
    for probe in probes:
        state_probe(probe, ledger)
        _write_figures(probe, folder / probe.name, ledger)
    state_summary(studies, ledger)
    write_text(folder / "components.tex", components_table(studies) + "\n")
    write_text(folder / "provenance.tex", provenance_table(studies) + "\n")
    write_text(folder / "published.tex", published_tables(studies, probes) + "\n")
    write_text(folder / "mastery.tex", mastery_table() + "\n")
    write_text(run_dir / "mastery.csv", mastery_frame().to_csv(index=False))
    write_text(folder / "derivations.tex", (run_dir / "derivations" / "derivations.tex").read_text(encoding="utf-8"))
    for document in get_args(Document):
        write_text(folder / f"{document}.tex", _loops(document, studies, probes) + "\n")
    ledger.write(folder / "macros.tex", out / "trace.json")


def _loops(document: str, studies: list[StudyInputs], probes: list[ProbeInputs]) -> str:
    r"""The macros that go over the subjects of one PDF: \eachstudy and \eachprobe over those that it has whole,
    \everystudy over all, and \foundationsstudy, \foundationsprobe and so on over those of one chapter, with
    \iffoundations for whether there are any.
    """
    subjects: dict[str, Sequence[StudyInputs | ProbeInputs]] = {"study": studies, "probe": probes}
    chapter = {s.name: get(s.config, "chapter") for group in subjects.values() for s in group}
    loops = [_loop("everystudy", [study.name for study in studies])]
    for kind, all_of_kind in subjects.items():
        names = [subject.name for subject in all_of_kind]
        loops.append(_loop(f"each{kind}", [name for name in names if document_of(chapter[name]) == document]))
        loops += [_loop(f"{one}{kind}", [name for name in names if chapter[name] == one]) for one in get_args(Chapter)]
    there = (rf"\newif\if{one}\{one}{str(one in chapter.values()).lower()}" for one in get_args(Chapter))
    return lines(*loops, *there)


def _loop(macro: str, names: list[str]) -> str:
    """A macro that inputs its argument, a section, once for each name."""
    calls = (rf"  \onestudy{{{name}}}{{{macro_name(name)}}}{{#1}}" for name in names)
    return lines(rf"\newcommand{{\{macro}}}[1]{{%", *calls, "}")


def _write_tables(study: StudyInputs, folder: Path, ledger: Ledger) -> None:
    for name, (make, table) in STUDY_TABLES.items():
        write_text(folder / f"{name}.tex", make(study) + "\n")
        file = f"tables/{study.name}/{table}.csv"
        how = (make.__doc__ or "").strip()
        ledger.add(Macro(f"{study.name}/{name}", file, table, how, study.name, kind="table"))


def _write_figures(of: StudyInputs | ProbeInputs, folder: Path, ledger: Ledger) -> None:
    """The figures of a study or a probe as LaTeX floats, those of the body and those of the appendix."""
    subject, figures = of.name, get(of.config, "figures")
    captions = {name: drawing(name).caption for name in figures}
    if isinstance(of, StudyInputs):
        captions = {name: of.score.told(caption) for name, caption in captions.items()}
    floats = {name: _figure(subject, name, caption) for name, caption in captions.items()}
    for part in ("body", "appendix"):
        chosen = [floats[name] for name in figures if (name in APPENDIX) == (part == "appendix")]
        write_text(folder / f"{part}-figures.tex", lines(*chosen) + "\n")
    write_text(folder / "first-figure.tex", lines(*(floats[name] for name in figures[:1])) + "\n")
    for name in figures:
        file = f"figures/{subject}/{name}.pdf"
        card = drawing(name)
        how = f"{card.module} of {', '.join(card.tables)}: {captions[name]}"
        ledger.add(Macro(f"{subject}/figures/{name}", file, card.tables[0], how, subject, kind="figure"))
        reference = rf"Figure~\ref{{fig:{subject}:{name}}}"
        ledger.state(subject, f"Figure {name}", reference, "config", f"the figure {name}")


def _figure(subject: str, name: str, caption: str) -> str:
    file = f"figures/{subject}/{name}.pdf"
    return lines(
        r"\begin{figure*}[!htb]",
        r"\centering",
        rf"\includegraphics[width=\linewidth,max height=\figureheight]{{{file}}}",
        rf"\caption{{{escape(caption)}}}",
        rf"\label{{fig:{subject}:{name}}}",
        r"\end{figure*}",
    )


def typeset(source_dir: Path, generated_dir: Path, figures_dir: Path, pdf: Path, epoch: int = 0) -> None:
    """Runs latexmk on a copy of the sources and puts the result at `pdf`; `epoch` (seconds) dates the file.

    The document is the file of `source_dir` that is named as `pdf` is: report.tex for report.pdf.

    The same sources and epoch give the same bytes. If LaTeX fails, its log is kept beside `pdf`, and a
    `UserError` quotes the first error; so it does for a citation or a reference that is not defined.
    """
    if shutil.which("latexmk") is None:
        raise UserError(f"latexmk is not installed, and the report is typeset with it: {INSTALL}")
    with scratch_folder() as scratch:
        build = scratch / "report"
        shutil.copytree(source_dir, build, ignore=shutil.ignore_patterns("generated", "figures"))
        shutil.copytree(generated_dir, build / "generated")
        shutil.copytree(figures_dir, build / "figures")
        document, logged = f"{pdf.stem}.tex", build / f"{pdf.stem}.log"
        done = _latexmk(build, document, epoch)
        if done.returncode and is_full(scratch):
            raise no_room(scratch)
        log = logged.read_text(encoding="utf-8", errors="replace") if logged.is_file() else done.stdout
        content = b"" if done.returncode else (build / pdf.name).read_bytes()
    fault = first_error(log) if done.returncode else _undefined(log)
    if done.returncode or fault:
        kept = pdf.with_suffix(".log")
        write_text(kept, log)
        quoted = fault or "\n".join(done.stdout.splitlines()[-10:])
        raise UserError(f"LaTeX failed on {source_dir / document}:\n{quoted}\nThe whole log: {kept}")
    write_bytes(pdf, content)


def _latexmk(build: Path, document: str, epoch: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["latexmk", "-norc", "-pdf", "-halt-on-error", "-interaction=nonstopmode", document],
        cwd=build,
        env=os.environ | {"SOURCE_DATE_EPOCH": str(epoch), "FORCE_SOURCE_DATE": "1", "max_print_line": "1000"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def first_error(log: str) -> str:
    """The first error of a LaTeX log, from its `!` to the line number; "" if there is none."""
    logged = log.splitlines()
    start = next((i for i, line in enumerate(logged) if line.startswith("!")), None)
    if start is None:
        return ""
    place = next((i for i in range(start, len(logged)) if re.match(r"l\.\d+", logged[i])), start + 3)
    return "\n".join(line for line in logged[start : place + 2] if line.strip())


def _undefined(log: str) -> str:
    found = re.search(r"LaTeX Warning: (?:Citation|Reference) .* undefined.*", log)
    return found.group() if found else ""
