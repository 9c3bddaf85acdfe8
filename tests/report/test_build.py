import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from finished_run import DATASETS, DESK, FIGURES, SMOKE, make_cells, make_config, write_run
from pdf import words_of

from phase2 import registry
from phase2.errors import UserError
from phase2.figures.catalog import FIGURES as CATALOG
from phase2.figures.catalog import STUDY
from phase2.report.build import first_error, typeset, write_sources
from phase2.run.names import TAKEN
from phase2.tex import macro_name

SOURCE = Path(__file__).parents[2] / "report"
TEX = sorted(SOURCE.rglob("*.tex"))


def sources(folder: Path, axes: dict, **options) -> Path:
    """A run's folder with the report's sources in it."""
    config = write_run(folder, axes, make_cells(axes, **options))
    write_sources(folder, folder / "report", config, DATASETS)
    return folder


def tiny(folder: Path, body: str) -> tuple[Path, Path, Path]:
    """The folders of a document of one line: source, generated, figures."""
    places = tuple(folder / name for name in ("source", "generated", "figures"))
    for place in places:
        place.mkdir()
    text = rf"\documentclass{{article}}\pdftrailerid{{}}\begin{{document}}{body}\end{{document}}"
    (places[0] / "report.tex").write_text(text)
    return places


@pytest.mark.parametrize("path", TEX, ids=lambda path: path.stem)
def test_no_number_is_typed_in_the_source(path):
    text = re.sub(r"%.*", "", path.read_text())
    assert re.findall(r"\d+\.\d+", text) == []
    if path.parent.name == "sections":
        prose = re.sub(r"(?s)\$.*?\$|\\begin\{equation\}.*?\\end\{equation\}|\\cite\{.*?\}", "", text)
        assert re.findall(r"\d+", prose.replace("phase2", "")) == []


def test_every_study_macro_and_figure_that_the_sections_name_exists(tmp_path):
    run = sources(tmp_path / "run", SMOKE)
    known = json.loads((run / "report" / "trace.json").read_text())
    text = "\n".join(path.read_text() for path in TEX if path.parent.name == "sections" and "probe" not in path.stem)
    assert {f"Mlpgrid{name}" for name in re.findall(r"\\study\{(\w+)\}", text)} <= set(known)
    assert set(re.findall(r"\\seefigure\{(\w+)\}", text)) == {
        macro_name("", name) for name, figure in CATALOG.items() if figure.of == STUDY
    }


def test_every_citation_has_an_entry():
    entries = set(re.findall(r"@\w+\{(\w+),", (SOURCE / "references.bib").read_text()))
    library = Path(__file__).parents[2] / "phase2"
    files = [library / "probe" / "published.py", *sorted((library / "derive").glob("*.py"))]
    code = "\n".join(path.read_text() for path in files)
    cited = {
        key for path in TEX for keys in re.findall(r"\\cite\{([^}]+)\}", path.read_text()) for key in keys.split(",")
    }
    parts = [part for kind in registry.ROOMS for part in registry.parts(kind).values()]
    cited |= {key for part in parts for key in part.card.cites.split(",") if key}
    said = "\n".join(path.read_text() for path in (library / "report").glob("measured*.py"))
    cited |= {key for keys in re.findall(r"cite\{+([a-z]+\d{4}[^}]*)\}", said) for key in keys.split(",")}
    cited |= {
        key for keys in re.findall(r'"([a-z]+\d{4}[a-z]*(?:,[a-z]+\d{4}[a-z]*)*)"', code) for key in keys.split(",")
    }
    assert cited == entries


def test_trace_names_every_macro_table_and_figure(tmp_path):
    run = sources(tmp_path / "run", SMOKE)
    trace = json.loads((run / "report" / "trace.json").read_text())
    macros = re.findall(r"\\newcommand\{\\(\w+)\}", (run / "report" / "generated" / "macros.tex").read_text())
    assert {name for name, entry in trace.items() if entry["kind"] == "macro"} == set(macros)
    files = [run / entry["value"] for entry in trace.values() if entry["kind"] != "macro"]
    assert len(files) == len(FIGURES) + 6
    assert all(file.is_file() for file in files)


def test_no_study_may_have_the_first_word_of_a_macro_of_the_whole_run(tmp_path):
    """A study's macro begins with its name as one word: \\OptimizationCells would be of a study `optimization`."""
    trace = json.loads((sources(tmp_path / "run", SMOKE) / "report" / "trace.json").read_text())
    whole = [name for name, entry in trace.items() if entry["kind"] == "macro" and not entry["study"]]
    first = {match[1].lower() for name in whole if (match := re.match("([A-Z][a-z]*)[A-Z]", name))}
    assert {"optimization", "report", "total"} <= first <= TAKEN.keys()


def test_the_same_results_give_the_same_sources(tmp_path):
    first, second = (sources(tmp_path / name, SMOKE) / "report" for name in ("a", "b"))
    names = [path.relative_to(first) for path in sorted(first.rglob("*")) if path.is_file()]
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


@pytest.mark.parametrize("axes", [DESK, SMOKE], ids=["desk", "smoke"])
def test_the_report_typesets_whatever_the_size(tmp_path, axes):
    run = sources(tmp_path / "run", axes)
    typeset(SOURCE, run / "report" / "generated", run / "figures", tmp_path / "report.pdf", epoch=1)
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def test_a_study_is_told_whole_in_its_own_document_and_briefly_in_the_report(tmp_path):
    run = tmp_path / "run"
    config = write_run(run, SMOKE, make_cells(SMOKE))
    config["studies"]["mlp_grid"]["chapter"] = "optimization"
    write_sources(run, run / "report", config, DATASETS)
    report, own = ((run / "report" / "generated" / f"{name}.tex").read_text() for name in ("report", "optimization"))
    assert r"\newcommand{\eachstudy}[1]{%" + "\n}" in report
    assert r"\newcommand{\optimizationstudy}[1]{%" + "\n" + r"  \onestudy{mlp_grid}{Mlpgrid}{#1}" in report
    assert r"\newcommand{\eachstudy}[1]{%" + "\n" + r"  \onestudy{mlp_grid}{Mlpgrid}{#1}" in own
    assert r"\optimizationtrue" in report
    for name in ("report", "optimization"):
        typeset(SOURCE, run / "report" / "generated", run / "figures", tmp_path / f"{name}.pdf")
        assert ("Optimization, in brief" in words_of(tmp_path / f"{name}.pdf")) == (name == "report")


def test_a_grid_that_failed_altogether_still_makes_a_report(tmp_path):
    lost = make_cells(SMOKE).assign(status="diverged", diverged_step=3.0, test_accuracy=None, curve_area=None)
    run = tmp_path / "run"
    write_sources(run, run / "report", write_run(run, SMOKE, lost), DATASETS)
    typeset(SOURCE, run / "report" / "generated", run / "figures", tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").is_file()


def test_the_same_sources_give_the_same_bytes(tmp_path):
    places = tiny(tmp_path, "text")
    for name in ("a", "b"):
        typeset(*places, tmp_path / name / "report.pdf", epoch=1767225600)
    assert (tmp_path / "a" / "report.pdf").read_bytes() == (tmp_path / "b" / "report.pdf").read_bytes()


def test_a_missing_macro_stops_the_build_with_its_line(tmp_path):
    with pytest.raises(UserError, match=r"(?s)! Undefined control sequence.*\\MlpgridNothing.*whole log") as error:
        typeset(*tiny(tmp_path, r"\MlpgridNothing{}"), tmp_path / "report.pdf")
    assert (tmp_path / "report.log").is_file()
    assert str(tmp_path / "report.log") in str(error.value)
    assert not (tmp_path / "report.pdf").exists()


def test_an_undefined_reference_stops_the_build(tmp_path):
    with pytest.raises(UserError, match=r"Reference `nowhere'.*undefined"):
        typeset(*tiny(tmp_path, r"\ref{nowhere}"), tmp_path / "report.pdf")


def test_where_temporary_files_have_no_room_left_the_error_says_so_and_not_that_latex_failed(tmp_path, monkeypatch):
    monkeypatch.setattr("phase2.data.disk.shutil.disk_usage", lambda path: SimpleNamespace(free=0))
    with pytest.raises(UserError, match=r"no room for temporary files in .*TMPDIR"):
        typeset(*tiny(tmp_path, r"\MlpGridNothing{}"), tmp_path / "report.pdf")


def test_without_latexmk_the_error_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="apt-get install latexmk"):
        typeset(*tiny(tmp_path, "text"), tmp_path / "report.pdf")


def test_the_first_error_of_a_log_is_found_among_others():
    log = "noise\n! First.\nl.3 here\n   there\n! Second.\nl.9 x\n"
    assert first_error(log) == "! First.\nl.3 here\n   there"


def test_a_missing_table_is_named(tmp_path):
    config = write_run(tmp_path / "run", SMOKE, make_cells(SMOKE))
    (tmp_path / "run" / "tables" / "mlp_grid" / "pairs.csv").unlink()
    with pytest.raises(UserError, match=r"pairs.csv is missing"):
        write_sources(tmp_path / "run", tmp_path / "out", config, DATASETS)


def test_a_missing_part_of_the_configuration_is_named(tmp_path):
    write_run(tmp_path / "run", SMOKE, make_cells(SMOKE))
    config = make_config(SMOKE)
    del config["studies"]["mlp_grid"]["budget"]
    with pytest.raises(UserError, match=r"no 'budget'"):
        write_sources(tmp_path / "run", tmp_path / "out", config, DATASETS)


def test_a_dataset_without_meta_is_named(tmp_path):
    config = write_run(tmp_path / "run", SMOKE, make_cells(SMOKE))
    with pytest.raises(UserError, match=r"data meta has no 'fashion_mnist'"):
        write_sources(tmp_path / "run", tmp_path / "out", config, {})
