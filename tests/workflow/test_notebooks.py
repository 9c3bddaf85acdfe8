"""Notebooks: stored without outputs, and rendered to pages that need no network."""

import ast
import re
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from phase2.derive.catalog import DERIVATIONS
from phase2.errors import UserError
from phase2.figures.catalog import FIGURES
from phase2.probe.catalog import PROBES
from phase2.report import notebook
from phase2.source import ROOT

STORED = sorted((ROOT / "notebooks").glob("*.ipynb"))
RULES = (ROOT / "rules" / "common.smk").read_text().split("NOTEBOOKS = ")[1]
READS = ast.literal_eval(RULES[: RULES.index("\n}\n") + 2])
ABSOLUTE = re.compile(r"""(?:^|[\s"'`(=])(?:~?/|[A-Za-z]:\\)\w""")
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # a whole PNG
)


class Loads(HTMLParser):
    """What a page would fetch or run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "iframe", "object", "embed"):
            self.found.append(tag)
        self.found += [str(value) for name, value in attrs if name in ("src", "srcset", "data", "poster", "background")]

    def handle_data(self, data: str) -> None:
        if self.lasttag == "style":
            self.found += re.findall(r"@import|url\(", data)


def test_every_stored_notebook_has_its_rule():
    assert {path.stem for path in STORED} == set(READS)


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_notebook_is_valid_and_holds_no_outputs(path: Path):
    content = notebook.read(path)
    assert (content.nbformat, content.nbformat_minor) >= (4, 5)
    assert len({cell.id for cell in content.cells}) == len(content.cells)
    for cell in content.cells:
        assert not cell.metadata
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    assert set(content.metadata) <= {"kernelspec", "language_info"}


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_notebook_names_no_absolute_path_and_its_prose_no_number(path: Path):
    for cell in notebook.read(path).cells:
        assert not ABSOLUTE.search(cell.source), cell.source
        if cell.cell_type == "markdown":
            assert not re.search(r"\d", re.sub(r"`[^`]*`", "", cell.source)), cell.source


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_what_a_stored_notebook_shows_exists_and_its_rule_reads_it(path: Path):
    code = "\n".join(cell.source for cell in notebook.read(path).cells if cell.cell_type == "code")
    kinds = set(re.findall(r'probes\("(\w+)"\)', code))
    assert kinds == set(READS[path.stem]["probes"])
    assert kinds <= set(PROBES)
    assert set(re.findall(r'derivation\("(\w+)"\)', code)) <= set(DERIVATIONS)
    figures = re.findall(r'(probes|study_of)\("\w+"\)\.figure\("(\w+)"\)', code)
    assert {name for _, name in figures} <= set(FIGURES)
    drawn = {table for kind, name in figures if kind == "study_of" for table in FIGURES[name].tables}
    assert drawn | set(re.findall(r'study\.table\("(\w+)"\)', code)) == set(READS[path.stem]["tables"])


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
