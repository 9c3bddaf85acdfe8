"""What a notebook shows is read from its code."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from phase2.errors import UserError
from phase2.report.shown import shown_by

CELLS = [
    new_markdown_cell('probes("in words")'),
    new_code_cell("import numpy\nfrom phase2.nn import LayerNorm\nfrom phase2.report.display import probes, studies"),
    new_code_cell('probes("four_ways").figure("four_ways")\nclaims(studies("depth"), study_of("activation"))'),
    new_code_cell('derivation("relu")\nprobes("four_ways").show(lambda probe: probe.table("results"))'),
]


def write(folder: Path, cells: list) -> Path:
    nbformat.write(new_notebook(cells=cells), folder / "tiny.ipynb")
    return folder / "tiny.ipynb"


def test_probes_studies_axes_derivations_and_modules_are_found_in_code_alone(tmp_path: Path):
    assert shown_by(write(tmp_path, CELLS))._asdict() == {
        "probes": ["four_ways"],
        "studies": ["depth"],
        "axes": ["activation"],
        "derivations": ["relu"],
        "modules": ["phase2.nn", "phase2.report.display"],
    }


def test_a_notebook_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"cannot read the notebook .*tiny\.ipynb \(invalid syntax"):
        shown_by(write(tmp_path, [new_code_cell("1 +")]))
    with pytest.raises(UserError, match=r"cannot read the notebook .*none\.ipynb"):
        shown_by(tmp_path / "none.ipynb")
