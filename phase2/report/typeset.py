"""From LaTeX sources to a PDF, and what LaTeX numbered the tables and figures in it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from phase2.data.disk import is_full, no_room, scratch_folder
from phase2.errors import UserError
from phase2.files import write_bytes, write_json, write_text

INSTALL = (
    "sudo apt-get install latexmk biber texlive-latex-extra texlive-science texlive-fonts-recommended "
    "texlive-bibtex-extra"
)
LABEL = re.compile(r"\\newlabel\{((?:tab|fig):[^}]*)\}\{\{([^{}]*)\}\{([^{}]*)\}")


def typeset(
    source_dir: Path, generated_dir: Path, figures_dir: Path, pdf: Path, labels: Path | None = None, epoch: int = 0
) -> None:
    """Runs latexmk on a copy of the sources and puts the result at `pdf`; `epoch` (seconds) dates the file.

    The document is the file of `source_dir` that is named as `pdf` is: report.tex for report.pdf. `labels` is written
    as JSON: number and page of each table and figure by its label.

    The same sources and epoch give the same bytes. If LaTeX fails, its log is kept beside `pdf`, and a
    `UserError` quotes the first error; so it does for a citation or a reference that is not defined.
    """
    if shutil.which("latexmk") is None:
        raise UserError(f"latexmk is not installed, and the report is typeset with it: {INSTALL}")
    with scratch_folder() as scratch:
        build = scratch / "report"
        shutil.copytree(source_dir, build, ignore=shutil.ignore_patterns("generated", "figures"))
        shutil.copytree(generated_dir, build / "generated")
        if figures_dir.exists():  # a run may ask for none
            shutil.copytree(figures_dir, build / "figures")
        document, logged = f"{pdf.stem}.tex", build / f"{pdf.stem}.log"
        done = latexmk(build, document, epoch)
        if done.returncode and is_full(scratch):
            raise no_room(scratch)
        log = logged.read_text(encoding="utf-8", errors="replace") if logged.is_file() else done.stdout
        content = b"" if done.returncode else (build / pdf.name).read_bytes()
        numbered = {} if done.returncode else numbers_in((build / f"{pdf.stem}.aux").read_text(encoding="utf-8"))
    fault = first_error(log) if done.returncode else _undefined(log)
    if done.returncode or fault:
        kept = pdf.with_suffix(".log")
        write_text(kept, log)
        quoted = fault or "\n".join(done.stdout.splitlines()[-10:])
        raise UserError(f"LaTeX failed on {source_dir / document}:\n{quoted}\nThe whole log: {kept}")
    write_bytes(pdf, content)
    if labels is not None:
        write_json(labels, numbered)


def latexmk(build: Path, document: str, epoch: int = 0) -> subprocess.CompletedProcess[str]:
    """Typesets a document of a folder in that folder."""
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


def numbers_in(aux: str) -> dict[str, dict[str, str]]:
    """Number and page of each table and figure in LaTeX's own record, by label.

    >>> numbers_in(r"\\newlabel{tab:a:b}{{3}{12}{A}{table.3}{}}")
    {'tab:a:b': {'number': '3', 'page': '12'}}
    """
    return {label: {"number": number, "page": page} for label, number, page in LABEL.findall(aux)}


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
