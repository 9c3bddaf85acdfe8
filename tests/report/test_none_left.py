"""A probe of a study whose every run diverged: its tables are empty, its figures and its sentences say so."""

from types import SimpleNamespace

import pytest
from said import OPTIONS, said
from tiny import write_tiny

from phase2.data.prepared import open_prepared
from phase2.figures.catalog import FIGURES
from phase2.figures.catalog import load as figure
from phase2.figures.style import NOTHING as NOTHING_DRAWN
from phase2.probe.catalog import PROBES, load
from phase2.probe.runs import Runs
from phase2.report.measured_words import NOTHING
from phase2.study.tables import read_table

OF_RUNS = [kind for kind, probe in PROBES.items() if "runs" in probe.inputs]
AXES = {
    "unit_health": {"activation": ["relu", "tanh"]},
    "uncertainty": {"dropout": [0.0, 0.5]},
    "curvature": {"batch_size": [64, 256]},
    "layer_responses": {"model": ["plain", "cifar_resnet"], "depth": [8, 20]},
}
SMALL = {"batch": 20, "images": 20, "angles": [0, 90], "depths": [2, 4], "width": 4, "seeds": [0]}
OF_NO_RUN = {"growth", "profiles"}  # of random stacks


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("data") / "tiny"))


@pytest.fixture(scope="module", params=OF_RUNS)
def left(request, data):
    """A kind of probe, and its tables if no run of its study finished."""
    kind = request.param
    runs = Runs([], AXES.get(kind, {"norm": ["none", "batch"]}) | {"seed": [0, 1]})
    others = {"unfamiliar": data} if "unfamiliar" in PROBES[kind].inputs else {}
    return kind, load(kind)(SimpleNamespace(**OPTIONS[kind] | SMALL), data, runs, **others)


def test_its_tables_are_empty_and_have_their_columns(left):
    kind, tables = left
    assert set(tables) == set(PROBES[kind].tables)
    for name, table in tables.items():
        assert len(table.columns)
        assert table.empty or name in OF_NO_RUN


def test_its_figures_say_so(left, tmp_path):
    kind, tables = left
    for name, table in tables.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    for name, drawn in FIGURES.items():
        if drawn.of == kind and not OF_NO_RUN & set(drawn.tables):
            made = figure(name)(**{table: read_table(tmp_path / f"{table}.csv") for table in drawn.tables})
            assert [text.get_text() for text in made.texts] == [NOTHING_DRAWN]


def test_its_sentences_say_so(left):
    kind, tables = left
    measured, found = said(kind, tables)
    assert "networks" in measured or "units" in measured
    assert NOTHING in found
