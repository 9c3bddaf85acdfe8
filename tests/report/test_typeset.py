"""PDFs from sources: whatever the run, without overfull boxes, the same bytes; what LaTeX numbered is kept."""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from finished_run import DESK, SMOKE, make_cells, make_claim, write_report
from pdf import words_of
from pypdfium2 import PdfDocument

from phase2.errors import UserError
from phase2.report.typeset import first_error, latexmk, typeset

SOURCE = Path(__file__).parents[2] / "report"
DOCUMENTS = ("report", "optimization", "companion")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which each document of a run was typeset: sources, logs, PDFs."""
    folder = tmp_path_factory.mktemp("desk")
    long = "A sentence of a length that one finds in print, with a consequence for whoever reads it to its end."
    claims = [make_claim(f"claim {place}", sentence=long) for place in range(25)]
    write_report(folder / "run", DESK, claims=claims)
    build = folder / "build"
    shutil.copytree(SOURCE, build)
    shutil.copytree(folder / "run" / "report" / "generated", build / "generated")
    shutil.copytree(folder / "run" / "figures", build / "figures")
    for document in DOCUMENTS:
        done = latexmk(build, f"{document}.tex")
        assert done.returncode == 0, done.stdout[-2000:]
    return build


def tiny(folder: Path, body: str) -> tuple[Path, Path, Path]:
    """The folders of a document of one line: source, generated, figures."""
    places = tuple(folder / name for name in ("source", "generated", "figures"))
    for place in places:
        place.mkdir()
    text = rf"\documentclass{{article}}\pdftrailerid{{}}\begin{{document}}{body}\end{{document}}"
    (places[0] / "report.tex").write_text(text)
    return places


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_box_is_overfull_and_nothing_is_undefined(desk: Path, document: str):
    log = (desk / f"{document}.log").read_text(errors="replace")
    assert re.findall(r"^Overfull .*", log, re.M) == []
    assert re.findall(r".*undefined.*", log) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_pdf_says_what_it_is(desk: Path, document: str):
    with PdfDocument(desk / f"{document}.pdf") as pdf:
        told = pdf.get_metadata_dict()
    assert all(told[key] for key in ("Title", "Author", "Subject", "Keywords"))


def test_the_short_papers_are_short_and_the_companion_has_contents(desk: Path):
    pages = {document: len(PdfDocument(desk / f"{document}.pdf")) for document in DOCUMENTS}
    assert pages["report"] <= 8
    assert "Contents" in words_of(desk / "companion.pdf")


def test_a_grid_that_failed_altogether_still_makes_its_pdfs(tmp_path):
    lost = make_cells(SMOKE).assign(
        status="diverged", diverged_step=3.0, val_accuracy=None, test_accuracy=None, curve_area=None
    )
    run = tmp_path / "run"
    write_report(run, SMOKE, cells=lost, claims=[])
    for document in ("report", "companion"):
        pdf = tmp_path / f"{document}.pdf"
        typeset(SOURCE, run / "report" / "generated", run / "figures", pdf)
        assert not re.search(r"\b(nan|NaN|None)\b", words_of(pdf))


def test_numbers_of_tables_and_figures_are_kept(tmp_path):
    body = r"\begin{table}\caption{A}\label{tab:a:b}\end{table}\begin{figure}\caption{B}\label{fig:c:d}\end{figure}"
    typeset(*tiny(tmp_path, body), tmp_path / "report.pdf", tmp_path / "labels.json")
    kept = json.loads((tmp_path / "labels.json").read_text())
    assert kept == {label: {"number": "1", "page": "1"} for label in ("tab:a:b", "fig:c:d")}


def test_the_same_sources_give_the_same_bytes(tmp_path):
    places = tiny(tmp_path, "text")
    for name in ("a", "b"):
        typeset(*places, tmp_path / name / "report.pdf", epoch=1767225600)
    assert (tmp_path / "a" / "report.pdf").read_bytes() == (tmp_path / "b" / "report.pdf").read_bytes()


def test_a_missing_macro_stops_the_build_with_its_line(tmp_path):
    with pytest.raises(UserError, match=r"(?s)! Undefined control sequence.*\\Nothing.*whole log") as error:
        typeset(*tiny(tmp_path, r"\Nothing{}"), tmp_path / "report.pdf")
    assert (tmp_path / "report.log").is_file()
    assert str(tmp_path / "report.log") in str(error.value)
    assert not (tmp_path / "report.pdf").exists()


def test_an_undefined_reference_stops_the_build(tmp_path):
    with pytest.raises(UserError, match=r"Reference `nowhere'.*undefined"):
        typeset(*tiny(tmp_path, r"\ref{nowhere}"), tmp_path / "report.pdf")


def test_where_temporary_files_have_no_room_left_the_error_says_so_and_not_that_latex_failed(tmp_path, monkeypatch):
    monkeypatch.setattr("phase2.data.disk.shutil.disk_usage", lambda path: SimpleNamespace(free=0))
    with pytest.raises(UserError, match=r"no room for temporary files in .*TMPDIR"):
        typeset(*tiny(tmp_path, r"\Nothing{}"), tmp_path / "report.pdf")


def test_without_latexmk_the_error_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="apt-get install latexmk"):
        typeset(*tiny(tmp_path, "text"), tmp_path / "report.pdf")


def test_the_first_error_of_a_log_is_found_among_others():
    log = "noise\n! First.\nl.3 here\n   there\n! Second.\nl.9 x\n"
    assert first_error(log) == "! First.\nl.3 here\n   there"
