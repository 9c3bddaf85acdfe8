"""The figures of a study or a probe as LaTeX floats with their captions."""

from phase2.figures.catalog import drawing
from phase2.report.inputs import StudyInputs, Subject
from phase2.report.latex import escape, lines, title_of
from phase2.report.macros import Ledger, Statement


def figures_of(subject: Subject, ledger: Ledger) -> list[str]:
    """The floats of a subject's figures, in the order of the configuration; each is entered into the ledger."""
    return [_figure(subject, name, ledger) for name in subject.section.figures]


def _figure(subject: Subject, name: str, ledger: Ledger) -> str:
    card, file, label = drawing(name), f"figures/{subject.name}/{name}.pdf", f"fig:{subject.name}:{name}"
    caption = subject.score.told(card.caption) if isinstance(subject, StudyInputs) else card.caption
    how = f"{card.module} of {', '.join(card.tables)}: {caption}"
    ledger.add(
        f"{subject.name}/figures/{name}", Statement("figure", file, card.tables[0], how, subject.name, label=label)
    )
    return lines(
        r"\begin{figure}[!htb]",
        r"\centering",
        rf"\includegraphics[max width=\linewidth,max height=\figureheight]{{{file}}}",
        rf"\caption{{{title_of(subject.name)}: {escape(caption)}}}",
        rf"\label{{{label}}}",
        r"\end{figure}",
    )
