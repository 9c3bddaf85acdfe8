"""The generated sources: complete, repeatable, for any configuration."""

import json
import re
from pathlib import Path

import pytest
from finished_run import CLAIMS, DATASETS, ENVIRONMENT, FIGURES, SMOKE, make_config, write_report

from phase2 import registry
from phase2.errors import UserError
from phase2.report.build import write_sources
from phase2.report.inputs import TABLES

SOURCE = Path(__file__).parents[2] / "report"
TEX = sorted(SOURCE.rglob("*.tex"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "desk"
    write_report(folder, SMOKE)
    return folder


def generated(run: Path, name: str) -> str:
    return (run / "report" / "generated" / f"{name}.tex").read_text()


@pytest.mark.parametrize("path", TEX, ids=lambda path: path.stem)
def test_no_number_is_typed_in_the_source(path):
    text = re.sub(r"%.*", "", path.read_text())
    assert re.findall(r"\d+\.\d+", text) == []
    if path.parent.name == "sections":
        prose = re.sub(r"(?s)\$.*?\$|\\begin\{equation\}.*?\\end\{equation\}|\\cite\{.*?\}", "", text)
        assert re.findall(r"\d+", prose.replace("phase2", "")) == []


def test_every_macro_that_the_sources_name_is_defined(run: Path):
    known = set(json.loads((run / "report" / "trace.json").read_text()))
    text = "\n".join(path.read_text() for path in TEX)
    own = set(re.findall(r"\\newcommand\{\\(\w+)\}", text))
    named = set(re.findall(r"\\([A-Z]\w+)\{\}", text))
    assert {"Run", "TotalTime", "Cells"} <= named
    assert named <= known | own


def test_every_citation_has_an_entry():
    entries = set(re.findall(r"@\w+\{(\w+),", (SOURCE / "references.bib").read_text()))
    derivations = sorted((Path(__file__).parents[2] / "phase2" / "derive").glob("*.py"))
    code = "\n".join(path.read_text() for path in derivations)
    cites = [*re.findall(r"\\cite\{([^}]+)\}", "\n".join(path.read_text() for path in TEX))]
    cites += re.findall(r'"([a-z]+\d{4}[a-z]*(?:,[a-z]+\d{4}[a-z]*)*)"', code)
    cites += [part.card.cites for kind in registry.ROOMS for part in registry.parts(kind).values()]
    assert {key for keys in cites for key in keys.split(",") if key} <= entries


def test_trace_names_every_macro_table_figure_and_claim(run: Path):
    trace = json.loads((run / "report" / "trace.json").read_text())
    macros = re.findall(r"\\newcommand\{\\(\w+)\}", (run / "report" / "generated" / "macros.tex").read_text())
    assert {name for name, entry in trace.items() if entry["kind"] == "macro"} == set(macros)
    assert {name for name, entry in trace.items() if entry["kind"] == "claim"} == {claim["name"] for claim in CLAIMS}
    sources = [path.read_text() for path in (run / "report" / "generated").glob("*.tex")]
    labels = re.findall(r"\\label\{((?:tab|fig):[^}]*)\}", "\n".join(sources))
    assert {entry["label"] for entry in trace.values() if entry["label"]} == set(labels)
    figures = [run / entry["value"] for entry in trace.values() if entry["kind"] == "figure"]
    assert len(figures) == len(FIGURES)
    assert all(file.is_file() for file in figures)


def test_the_same_results_give_the_same_sources(tmp_path):
    for name in ("a", "b"):
        write_report(tmp_path / name, SMOKE)
    first, second = (tmp_path / name / "report" for name in ("a", "b"))
    names = [path.relative_to(first) for path in sorted(first.rglob("*")) if path.is_file()]
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def test_a_study_is_told_in_the_document_of_its_chapter_and_in_the_companion(tmp_path):
    write_report(tmp_path, SMOKE, chapter="optimization")
    for document, told in (("report", False), ("optimization", True), ("companion", True)):
        assert ("Mlp grid" in generated(tmp_path, document)) == told
    assert "Shapes" in generated(tmp_path, "companion")


def test_the_companion_has_question_spec_claims_figures_and_tables_of_each_subject(run: Path):
    text = generated(run, "companion")
    study, probe = text.split(r"\subsection{")[1:]
    for part in ("How much of a perceptron's accuracy", "10,000 for training", "ReLU and tanh", "Momentum & 0.9"):
        assert part.lower() in study.replace("Optimizer momentum", "Momentum").lower()
    assert study.count(r"\item[") == len(CLAIMS)
    assert study.count(r"\includegraphics") == len(FIGURES)
    assert "83.00" in study  # of the linear baseline
    assert "What do activations do?" in probe
    assert "the first 5 of 30 rows" in probe
    assert r"$1\times10^{-7}$" in probe


def test_the_paper_has_one_figure_a_chapter_its_claims_and_a_row_a_study(run: Path):
    text = generated(run, "report")
    assert text.count(r"\includegraphics") == 1
    assert f"figures/mlp_grid/{FIGURES[0]}.pdf" in text
    assert all(claim["why"] in text for claim in CLAIMS)
    assert "How much of a perceptron's accuracy" in text
    assert "too little to say (needs 8 seeds, has 5)" in text.split("What is missing")[1]


@pytest.mark.parametrize("table", [*TABLES])
def test_a_missing_table_is_named(tmp_path, table):
    config = write_report(tmp_path / "run", SMOKE)
    (tmp_path / "run" / "tables" / "mlp_grid" / f"{table}.csv").unlink()
    with pytest.raises(UserError, match=rf"{table}.csv is missing"):
        write_sources(tmp_path / "run", tmp_path / "out", config, DATASETS, ENVIRONMENT)


def test_what_failed_is_named_first_and_among_what_is_missing(tmp_path):
    write_report(tmp_path / "run", SMOKE)
    config = make_config(SMOKE).model_copy(update={"missing": ["lost_study"]})
    write_sources(tmp_path / "run", tmp_path / "run" / "report", config, DATASETS, ENVIRONMENT)
    assert r"lacks \texttt{lost\_study}" in generated(tmp_path / "run", "macros")
    assert r"\texttt{lost\_study}" in generated(tmp_path / "run", "report").split("What is missing")[1]


def test_a_grid_of_one_level_without_baselines_figures_and_claims_is_told(tmp_path):
    config = write_report(tmp_path, {"activation": ["relu"], "seed": [0, 1]}, figures=[], claims=[])
    table = tmp_path / "tables" / "mlp_grid" / "baseline.csv"
    table.write_text(table.read_text().splitlines()[0] + "\n")  # as that of a task which has none
    write_sources(tmp_path, tmp_path / "report", config, DATASETS, ENVIRONMENT)
    assert "guessing scores 10.00" in generated(tmp_path, "companion")
    assert re.search(r"\$\d+\.\d+\$ to \$\d+\.\d+\$", generated(tmp_path, "report"))
