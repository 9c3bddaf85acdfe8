"""Notebooks: stored without outputs, and rendered to pages that need no network."""

import ast
import re
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from phase2.derive.catalog import DERIVATIONS
from phase2.errors import UserError
from phase2.figures.catalog import FIGURES
from phase2.probe.catalog import PROBES
from phase2.report import notebook
from phase2.report.shown import shown_by
from phase2.source import ROOT
from phase2.study.factors import factors_of

STORED = sorted((ROOT / "notebooks").glob("*.ipynb"))
DESK = yaml.safe_load((ROOT / "config.yaml").read_text())
FOLDED = {"jupyter": {"source_hidden": True}}
WRONG = {  # by exercise: a piece of its solution, and what a student may write there
    "temperature": ("(temperature * len(z))", "len(z)"),
    "rms": (" - (h * x_hat).mean(1, keepdim=True) * x_hat", ""),
    "leaky": ("1 + slope**2", "1 + slope"),
    "softplus": ("np.log1p(np.exp(-np.abs(x)))", "np.log(1 + np.exp(-np.abs(x)))"),
    "selu": ("math.exp(k**2 / 2)", "math.exp(k / 2)"),
    "silu": ("return low, low + 1", "return low, low"),
    "product": ("W.reshape(len(W), -1)", "W[..., ::-1, ::-1].reshape(len(W), -1)"),
    "field": ("field += dilation * (kernel - 1)", "field += dilation * kernel - 1"),
    "folded": ("(conv.bias - norm.running_mean)", "conv.bias - norm.running_mean"),
}
ABSOLUTE = re.compile(r"""(?:^|[\s"'`(=])(?:~?/|[A-Za-z]:\\)\w""")
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # a whole PNG
)


class Loads(HTMLParser):
    """What a page would fetch or run; its places, and links to them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.places: set[str] = set()
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "iframe", "object", "embed"):
            self.found.append(tag)
        self.found += [str(value) for name, value in attrs if name in ("src", "srcset", "data", "poster", "background")]
        self.places |= {str(value) for name, value in attrs if name == "id"}
        self.links |= {str(value)[1:] for name, value in attrs if name == "href" and str(value).startswith("#")}

    def handle_data(self, data: str) -> None:
        if self.lasttag == "style":
            self.found += re.findall(r"@import|url\(", data)


def of_every_notebook(test):
    """A test of each notebook in git."""
    return pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)(test)


def sections(path: Path) -> dict[str, list[NotebookNode]]:
    """The cells of a notebook below each of its headings of the second level, that with the heading first."""
    found: dict[str, list[NotebookNode]] = {}
    for cell in notebook.read(path).cells:
        if heading := re.match(r"## (.+)", cell.source):
            found[heading[1]] = []
        if found:
            found[list(found)[-1]].append(cell)
    return found


def exercises(path: Path) -> dict[str, tuple[str, str]]:
    """The solution and the check of each exercise of a notebook, behind the notebook's imports."""
    code = {cell.id: cell.source for cell in notebook.read(path).cells if cell.cell_type == "code"}
    names = [found[1] for found in map(re.compile(r"exercise-(\w+)-solution").fullmatch, code) if found]
    imports = code["imports"] + "\n"
    return {name: (imports + code[f"exercise-{name}-solution"], code[f"exercise-{name}-check"]) for name in names}


EXERCISES = {name: cells for path in STORED for name, cells in exercises(path).items()}


def test_every_stored_notebook_has_its_rule():
    rules = (ROOT / "rules" / "common.smk").read_text()
    (listed,) = re.findall(r"^NOTEBOOKS = .*?(\[.*\])", rules, re.MULTILINE)
    assert {path.stem for path in STORED} == set(ast.literal_eval(listed))


@of_every_notebook
def test_a_stored_notebook_is_valid_and_holds_no_outputs(path: Path):
    content = notebook.read(path)
    assert (content.nbformat, content.nbformat_minor) >= (4, 5)
    assert len({cell.id for cell in content.cells}) == len(content.cells)
    for cell in content.cells:
        assert cell.metadata == (FOLDED if cell.id.endswith("-solution") else {})
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    assert set(content.metadata) <= {"kernelspec", "language_info"}


@of_every_notebook
def test_a_stored_notebook_names_no_absolute_path_and_its_prose_no_number(path: Path):
    for cell in notebook.read(path).cells:
        assert not ABSOLUTE.search(cell.source), cell.source
        if cell.cell_type == "markdown":
            assert not re.search(r"\d", re.sub(r"`[^`]*`", "", cell.source)), cell.source


@of_every_notebook
def test_what_a_stored_notebook_shows_exists_and_the_default_run_has_all_of_it(path: Path):
    code = "\n".join(cell.source for cell in notebook.read(path).cells if cell.cell_type == "code")
    shown = shown_by(path)
    assert set(shown.derivations) <= set(DERIVATIONS)
    assert set(shown.probes) <= set(PROBES)
    figures = re.findall(r'(probes|studies|study_of)\("(\w+)"\)\.figure\("(\w+)"\)', code)
    assert figures
    for kind, name, figure in figures:
        assert figure in FIGURES
        assert [subject for subject in asked_for(kind, name) if figure in subject["figures"]], (name, figure)


def asked_for(kind: str, name: str) -> list[dict]:
    """The sections of the default configuration that probes(name), studies(name) or study_of(name) shows."""
    if kind == "probes":
        return [probe for probe in DESK["probes"].values() if probe["probe"] == name]
    if kind == "studies":
        return [DESK["studies"][name]]
    studies = [study for study in DESK["studies"].values() if name in study["axes"]]
    return sorted(studies, key=lambda study: len(factors_of(study["axes"])))[:1]


@of_every_notebook
def test_the_contents_of_a_stored_notebook_link_every_section_in_order(path: Path):
    (contents, *_), *_ = sections(path).values()
    linked = re.findall(r"\[([^\]]+)\]\(#([^)]+)\)", contents.source)
    assert [name for name, _ in linked] == list(sections(path))[1:]
    assert {place for _, place in linked} <= Loads(notebook.page(notebook.read(path), "")).places


@of_every_notebook
def test_every_section_of_a_stored_notebook_ends_with_a_take_away_of_one_or_two_sentences(path: Path):
    for heading, cells in list(sections(path).items())[1:-1]:
        told = cells[-1].source.replace("\n> ", " ")
        assert told.startswith("> **Take-away.** "), heading
        assert len(re.findall(r"[.?](?: |$)", told.removeprefix("> **Take-away.** "))) in (1, 2), told


@of_every_notebook
def test_a_stored_notebook_ends_with_three_exercises_each_with_a_solution_and_a_check(path: Path):
    *_, (heading, cells) = sections(path).items()
    assert heading == "Exercises"
    names = [cell.id for cell in cells[1:]]
    asked = names[::3]
    assert len(asked) == 3
    assert names == [f"{name}{part}" for name in asked for part in ("", "-solution", "-check")]


@pytest.mark.parametrize("name", EXERCISES)
def test_the_check_of_an_exercise_takes_its_solution_and_refuses_a_wrong_one(name: str):
    solution, check = EXERCISES[name]
    run(solution, check)
    right, wrong = WRONG[name]
    assert solution.count(right) == 1
    with pytest.raises(AssertionError):
        run(solution.replace(right, wrong), check)


def run(*sources: str) -> None:
    names: dict[str, object] = {}
    for source in sources:
        exec(source, names)


def write(folder: Path, *sources: str) -> Path:
    cells = [new_markdown_cell("# Tiny & small\n\nA page."), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells), folder / "tiny.ipynb")
    return folder / "tiny.ipynb"


def render(path: Path) -> str:
    with open(path.with_suffix(".log"), "w") as log:
        return notebook.render(path, path.parent, log)


def test_a_notebook_runs_here_in_this_python_on_the_results_and_its_page_needs_no_network(tmp_path: Path):
    where = "import os, sys\nprint(sys.executable, os.environ['PHASE2_RESULTS'], os.getcwd(), sep='|')"
    image = f"from base64 import b64decode\nfrom IPython.display import Image\nImage(b64decode('{PIXEL}'))"
    path = write(tmp_path, where, image)
    before = path.read_bytes()
    page = render(path)
    assert "<title>Tiny &amp; small</title>" in page
    assert f"{sys.executable}|{tmp_path}|{Path.cwd()}" in page
    assert Loads(page).found == [f"data:image/png;base64,{PIXEL}"]
    assert path.read_bytes() == before


def test_a_notebook_runs_where_temporary_files_have_a_path_too_long_for_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    deep = tmp_path / ("d" * 60) / ("d" * 60)
    deep.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert "a result" in render(write(tmp_path, "print('a result')"))
    assert not list(deep.iterdir())


def test_a_solution_is_folded_in_the_page_and_all_else_is_not(tmp_path: Path):
    path = write(tmp_path, "print('an exercise')", "a_solution = 1")
    content = notebook.read(path)
    content.cells[2].metadata = FOLDED
    before, _, folded = notebook.page(content, "").partition("<details><summary>Solution</summary>")
    assert "an exercise" in before
    assert "a_solution" in folded[: folded.index("</details>")]
    assert "<details" not in folded


def test_what_a_page_would_load_is_found():
    style = "<style>@import 'x'; p {background: url(y)}</style>"
    assert Loads("<link href='a.css'><script></script><img src='http://a/b.png'>" + style).found == [
        "link",
        "script",
        "http://a/b.png",
        "@import",
        "url(",
    ]


def test_an_error_in_a_cell_names_the_notebook_and_the_cell(tmp_path: Path):
    path = write(tmp_path, "x = 0", "1 / x", "print('never')")
    with pytest.raises(UserError, match=r"tiny\.ipynb, cell 3 of 4: ZeroDivisionError: division by zero.*\n1 / x"):
        render(path)


def test_a_cell_that_does_not_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(notebook, "SECONDS", 1)
    with pytest.raises(UserError, match=r"cell 2 of 2: it took longer than 1 s"):
        render(write(tmp_path, "import time\ntime.sleep(60)"))


@pytest.mark.parametrize("text", ["", "{", '{"cells": 3, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'])
def test_a_damaged_notebook_is_refused(text: str, tmp_path: Path):
    (tmp_path / "tiny.ipynb").write_text(text)
    with pytest.raises(UserError, match=r"cannot read the notebook .*tiny\.ipynb"):
        notebook.read(tmp_path / "tiny.ipynb")
