"""Runs a notebook on the results of a run, and writes it as one HTML file that needs no network and no script."""

import os
import re
import tempfile
from html import escape
from pathlib import Path
from typing import TextIO

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from traitlets import default
from traitlets.config import Config

from phase2.errors import UserError
from phase2.report.display import RESULTS

SECONDS = 300  # that a cell may take, on however slow a machine
LONGEST = 75  # bytes of TMPDIR that leave room for a socket's name below it: its whole path has at most 103

# A cell whose source Jupyter hides, the solution of an exercise, is folded here too: a browser needs no script for it.
FOLDED = """{%- extends "index.html.j2" -%}
{%- block codecell -%}
{%- if cell.metadata.get("jupyter", {}).get("source_hidden") -%}
<details><summary>Solution</summary>{{ super() }}</details>
{%- else -%}
{{ super() }}
{%- endif -%}
{%- endblock codecell -%}"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""

STYLE = """
body { margin: 0; background: #fff; color: #1b1b1b; font: 16px/1.55 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2, h3 { line-height: 1.25; margin: 2rem 0 0.6rem; }
h2 { border-bottom: 1px solid #d8d8d8; padding-bottom: 0.25rem; }
img { display: block; max-width: 100%; margin: 0.5rem auto; }
figure { margin: 1rem 0; }
figcaption, small, .subject { color: #5a5a5a; font-size: 0.85rem; }
blockquote { margin: 0.8rem 0; padding: 0.1rem 1rem; border-left: 3px solid #0072B2; background: #f4f8fb; }
blockquote p { margin: 0.4rem 0; }
math { font-size: 1.06em; }
math[display="block"] { margin: 0.4rem 0; padding: 0.3rem 0; overflow: auto hidden; }
section.derivation li { margin-bottom: 0.7rem; }
pre { margin: 0; font: 0.76rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap; }
code { font-size: 0.9em; }
.input_area { margin: 1rem 0 0.4rem; padding: 0.6rem 0.8rem; background: #f6f6f4; border-radius: 4px; }
.output_stream, .output_text { padding: 0.2rem 0.8rem; }
.output_stderr { background: #fdeeee; }
.absent { font-style: italic; }
.claims { padding-left: 0; list-style: none; }
.claims li { margin: 0.5rem 0; padding-left: 1rem; border-left: 3px solid #d8d8d8; }
.supported { color: #00704f; } .denied { color: #b34a00; } .cannot-say { color: #5a5a5a; }
details { margin: 0.8rem 0; } summary { cursor: pointer; font-weight: 600; }
.anchor-link { display: none; }
table { border-collapse: collapse; margin: 0.8rem auto; font-size: 0.85rem; }
th { border-bottom: 1px solid #1b1b1b; font-weight: 600; }
td { white-space: nowrap; }
th, td { padding: 0.2rem 0.8rem; text-align: right !important; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left !important; }
"""


def render(notebook: Path, results: Path, log: TextIO) -> str:
    """The page of a notebook whose cells ran, in this very Python, with `results` as the folder of the run.

    What its kernel prints outside of cells goes to `log`. Raises `UserError` that names the notebook and the cell
    for an error or a cell that takes longer than 300 s.
    """
    content = read(notebook)
    _execute(notebook, content, results, log)
    return page(content, _title(notebook, content))


def page(content: NotebookNode, title: str) -> str:
    """The cells of a notebook with the outputs that they hold, as HTML."""
    exporter = HTMLExporter(
        template_name="basic", raw_template=FOLDED, exclude_input_prompt=True, exclude_output_prompt=True
    )
    body, _ = exporter.from_notebook_node(content)
    style = STYLE + HtmlFormatter(nobackground=True).get_style_defs(".highlight")
    return PAGE.format(title=escape(title), style=style, body=body)


def read(notebook: Path) -> NotebookNode:
    """A notebook from its file; raises `UserError` for one that is missing or damaged."""
    try:
        content = nbformat.read(notebook, as_version=4)
        nbformat.validate(content)
    except Exception as error:  # of a wrong shape nbformat raises whatever it leads to
        raise UserError(f"cannot read the notebook {notebook} ({error}): check it out again") from None
    return content


class ThisPython(AsyncKernelManager):
    """Starts the kernel of `sys.executable`, whatever kernels the user has registered."""

    @default("kernel_spec_manager")
    def _none_registered(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[])


def _execute(notebook: Path, content: NotebookNode, results: Path, log: TextIO) -> None:
    """Runs the cells of `content` in the current folder; they then hold their outputs."""
    started: list[int] = []
    temporary = tempfile.gettempdir()
    short = temporary if len(os.fsencode(temporary)) <= LONGEST else "/tmp"
    with tempfile.TemporaryDirectory(dir=short) as private:
        sockets = {"transport": "ipc", "connection_file": f"{private}/kernel.json"}  # which nobody else can reach
        client = NotebookClient(
            content,
            kernel_manager_class=ThisPython,
            config=Config(ThisPython=sockets),
            kernel_name="python3",
            resources={"metadata": {"path": os.getcwd()}},
            timeout=SECONDS,
            record_timing=False,
            on_cell_start=lambda cell, cell_index: started.append(cell_index),
        )
        own = {RESULTS: str(results), "IPYTHONDIR": private}  # the user's IPython profile has no say
        try:
            client.execute(env=os.environ | own, stdout=log, stderr=log)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            number, source = started[-1] + 1, content.cells[started[-1]].source
            raise UserError(
                f"{notebook}, cell {number} of {len(content.cells)}: {_reason(error)}. To see where, "
                f"open it in Jupyter with {RESULTS}={results}. The cell:\n{source}"
            ) from None


def _reason(error: Exception) -> str:
    if isinstance(error, CellExecutionError):
        return f"{error.ename}: {error.evalue}"
    return f"it took longer than {SECONDS} s" if isinstance(error, CellTimeoutError) else "its kernel died"


def _title(notebook: Path, content: NotebookNode) -> str:
    """The first heading, or the file's name."""
    heading = re.search(r"^# (.+)$", content.cells[0].source if content.cells else "", re.MULTILINE)
    return heading[1] if heading else notebook.stem
