"""A probe is a folder and a figure is a file: a new one is found, works, and changes nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny import write_tiny

from phase2 import source
from phase2.card import FigureCard
from phase2.errors import UserError
from phase2.figures import catalog
from phase2.source import ROOT, card_of

STATE = """
import json, sys
from pathlib import Path
from phase2.figures.catalog import FIGURES
from phase2.probe.catalog import PROBES, probe_code
from phase2.run.config import load, schema
from phase2.run.reference import reference
from phase2.study.cell import cells_of
from phase2.study.code import training_code
from phase2.study.fingerprint import fingerprint

config = load([Path("config.yaml")], sys.argv[1:])
cells = [cell for name, study in config.studies.items() for cell in cells_of(name, study)]
print(json.dumps({
    "kinds": list(PROBES),
    "probes": {name: [probe_code(probe), probe.deciding()] for name, probe in config.probes.items()},
    "figures": {name: fingerprint(found.module, "phase2.figures.style") for name, found in FIGURES.items()},
    "told": {name: [found.of, found.caption, list(found.tables)] for name, found in FIGURES.items()},
    "cells": {cell.id: training_code(cell.settings) for cell in cells},
    "packs": fingerprint("phase2.study.pack"),
    "report": fingerprint("phase2.report.build"),
    "schema": "Counting" in schema()["$defs"],
    "reference": "## probes.<name>, probe: counting" in reference(),
    "slow": sorted({"torch", "matplotlib"} & sys.modules.keys()),
}))
"""
USE = """
import sys
from pathlib import Path
from phase2.figures.catalog import FIGURES, load
from phase2.figures.style import save
from phase2.files import write_json
from phase2.report.inputs import ProbeInputs
from phase2.report.probe_tables import tables_of
from phase2.run.config import validate
from phase2.run.measure import measure

section = {"probe": "counting", "question": "How many?", "dataset": "digits", "figures": ["counting", "parts"]}
study = {
    "question": "?", "figures": [], "axes": {"seed": [0]}, "budget": {"epochs": 1, "batch_size": 32},
    "task": {"dataset": "digits", "validation": 40}, "model": {"name": "mlp"}, "optimizer": {"name": "sgd", "lr": 0.1},
}
config = validate({"run": "r", "data": {"folder": "data"}, "studies": {"one": study}, "probes": {"many": section}})
tables, provenance = measure("many", config, Path("checkpoints"))
folder = Path("results/tables/many")
folder.mkdir(parents=True)
for name, table in tables.items():
    table.to_csv(folder / f"{name}.csv", index=False)
write_json(folder / "provenance.json", provenance)
for name in config.probes["many"].figures:
    save(load(name)(**{table: tables[table] for table in FIGURES[name].tables}), folder / name)
printed, = tables_of(ProbeInputs("many", config.probes["many"], tables, provenance))
print(printed.caption, len(printed.rows), "rows")
"""
NEW = {
    "card.py": '''
"""How many images there are."""

from pydantic import Field

from phase2.probe.options import Probe
from phase2.study.section import Count, Dataset

HALF = 2  # parts


class Options(Probe):
    tables = ("counts",)

    dataset: Dataset = Field(description="name of a data set")
    times: Count = Field(default=3, description="how often they are counted")
''',
    "measure.py": '''
"""How many images there are."""

import pandas as pd

from phase2.data.prepared import Prepared
from phase2.probe.counting.card import HALF, Options


def measure(options: Options, data: Prepared) -> dict[str, pd.DataFrame]:
    count = len(data.arrays["train_images"])
    return {"counts": pd.DataFrame({"time": range(options.times), "count": count, "half": count // HALF})}
''',
    "draw.py": """
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.style import blank, styled

CARD = FigureCard(("counts",), "How many there are.")


@styled
def counting(*, counts) -> Figure:
    figure = blank(1.0)
    figure.subplots().plot(counts.time, counts["count"])
    return figure
""",
}
NEW["parts.py"] = NEW["draw.py"].replace("counting", "parts").replace('"count"', '"half"')


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the library and its configuration."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("phase2", "config"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "config.yaml", folder)
    return folder


@pytest.fixture(scope="module")
def before(copy: Path) -> dict[str, Any]:
    return state(copy)


def state(folder: Path, *assignments: str) -> dict[str, Any]:
    """What a checkout has, and the fingerprints of all of it."""
    return json.loads(python(folder, STATE, *assignments))


def python(folder: Path, code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    environ = os.environ | {"PYTHONPATH": str(folder)}
    ran = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text.lstrip("\n"))


def test_a_new_folder_is_a_probe_that_can_be_configured_measured_drawn_and_told(copy: Path, before: dict[str, Any]):
    write(copy / "phase2/probe/counting", NEW)
    try:
        after = state(copy)
        assert set(after["kinds"]) - set(before["kinds"]) == {"counting"}
        assert after["told"]["counting"] == ["counting", "How many there are.", ["counts"]]
        assert after["told"]["parts"][0] == "counting"
        assert after["schema"]
        assert after["reference"]
        write_tiny(copy / "data" / "prepared" / "digits")
        assert "table \\texttt{counts}" in (said := python(copy, USE))
        assert said.strip().endswith("3 rows")
        assert (copy / "results/tables/many/parts.pdf").is_file()
    finally:
        shutil.rmtree(copy / "phase2/probe/counting")
    for name in ("probes", "cells", "packs", "report"):
        assert after[name] == before[name], name
    assert before["figures"].items() <= after["figures"].items()
    assert not after["slow"]


def test_a_new_file_is_a_figure_and_no_other_is_drawn_again(copy: Path, before: dict[str, Any]):
    write(copy / "phase2/figures", {"counting.py": NEW["draw.py"].replace('("counts",)', '("cells",)')})
    try:
        after = state(copy, 'studies.mlp_grid.figures=["counting", "ranking"]')
    finally:
        (copy / "phase2/figures/counting.py").unlink()
    assert after["told"].pop("counting") == ["study", "How many there are.", ["cells"]]
    assert after["figures"].pop("counting")
    assert after == before


def test_a_folder_without_options_is_refused_by_its_file(copy: Path):
    write(copy / "phase2/probe/counting", NEW | {"card.py": "OPTIONS = 3\n"})
    try:
        with pytest.raises(
            AssertionError, match=r"counting/card\.py is no card of a probe: write class Options\(Probe"
        ):
            state(copy)
    finally:
        shutil.rmtree(copy / "phase2/probe/counting")


def test_two_figures_of_one_name_are_refused_with_both_files(copy: Path, monkeypatch: pytest.MonkeyPatch):
    write(copy / "phase2/probe/mean_field", {"ranking.py": NEW["draw.py"]})
    monkeypatch.setattr(source, "ROOT", copy)
    try:
        with pytest.raises(UserError, match=r"mean_field/ranking\.py and .*figures/ranking\.py are both the figure"):
            catalog._found(catalog._of_the_package(), {})
    finally:
        (copy / "phase2/probe/mean_field/ranking.py").unlink()


@pytest.mark.parametrize(
    ("card", "fault"),
    [
        ('FigureCard(("cells"), "Cells.")', "line 1: the card's tables is 'cells', expected names in brackets"),
        ('FigureCard(("cells",), 3)', "line 1: the card's caption is 3, expected text"),
        ('FigureCard(("cells",))', "line 1: the FigureCard missing 1 required positional argument: 'caption'"),
        (
            'FigureCard(("cells",), "Cells.", need=("lr",))',
            "unknown field of a FigureCard 'need': did you mean 'needs'",
        ),
    ],
)
def test_a_wrong_card_of_a_figure_is_refused_with_file_and_line(card: str, fault: str, tmp_path: Path):
    (tmp_path / "cells.py").write_text(f"CARD = {card}\n")
    with pytest.raises(UserError) as error:
        card_of(tmp_path / "cells.py")
    assert str(error.value).startswith(str(tmp_path / "cells.py"))
    assert fault in str(error.value)


def test_a_card_of_a_figure_is_read_as_it_is_written(tmp_path: Path):
    (tmp_path / "cells.py").write_text('CARD = FigureCard(("cells",), "Many "\n    "cells.", needs=("lr",))\n')
    for _ in range(2):  # the second time it is remembered
        assert card_of(tmp_path / "cells.py") == (FigureCard(("cells",), "Many cells.", needs=("lr",)), {})
