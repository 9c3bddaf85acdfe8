"""The report has words and tables for whatever became of the cells: none left, one left, one of each, no number."""

import numpy as np
import pytest
from finished_run import DATASETS, SMOKE, make_cells, write_run

from phase2.report.compared import COMPARED, state_comparison
from phase2.report.conclusions import FINDINGS, state_findings
from phase2.report.describe import state_study
from phase2.report.inputs import read_study
from phase2.report.macros import Ledger
from phase2.report.summary import state_summary
from phase2.report.tables import STUDY_TABLES, components_table, provenance_table
from phase2.stats import bootstrap, factorial
from phase2.stats.summary import summary
from phase2.tex import macro_name

GRIDS = {
    "smoke": SMOKE,
    "lr_sensitivity": {"batch_size": [32, 64, 128], "lr": [0.01, 0.1], "seed": [0, 1]},
    "decay_map": {"optimizer": ["adam", "adamw"], "lr": [0.001, 0.01], "weight_decay": [0.0, 0.1], "seed": [0, 1]},
    "budget_curves": {"schedule": ["constant", "one_cycle"], "epochs": [1, 2], "seed": [0, 1]},
    "depth_curves": {"model": ["plain", "cifar_resnet"], "depth": [8, 20], "seed": [0, 1]},
    "backends": {"backend": ["scratch", "fused"], "seed": [0, 1]},
    "sharing": {"model": ["convolutional", "dense"], "pixels": ["natural", "permuted"], "seed": [0, 1]},
}
MEASURES = ["test_accuracy", "train_accuracy", "curve_area"]


def diverged(cells):
    return cells.assign(status="diverged", diverged_step=1.0, **dict.fromkeys(MEASURES, np.nan))


def all_but_one(cells):
    lost = diverged(cells)
    lost.iloc[0] = cells.iloc[0]
    return lost


def not_a_number(cells):
    return cells.assign(**dict.fromkeys(MEASURES, np.nan))


CASES = {
    "all diverged": (diverged, {}),
    "all but one diverged": (all_but_one, {}),
    "not a number": (not_a_number, {}),
    "one seed": (None, {"seed": 1}),
    "one level of every axis": (None, {"factors": 1}),
    "one cell, diverged": (diverged, {"seed": 1, "factors": 1}),
}


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 20)
    monkeypatch.setattr(factorial, "RESAMPLES", 20)


@pytest.fixture(params=CASES)
def case(request):
    return request.param


@pytest.fixture(params=GRIDS)
def study(request, case, tmp_path):
    """A study of a case, on the grid of a figure that has sentences of its own."""
    change, kept = CASES[case]
    axes = {
        axis: levels[: kept.get("seed" if axis == "seed" else "factors")]
        for axis, levels in GRIDS[request.param].items()
    }
    cells = make_cells(axes, failures=False)
    cells = cells.assign(train_accuracy=cells.test_accuracy)
    config = write_run(tmp_path, axes, change(cells) if change else cells, figures=[])
    section = config["studies"]["mlp_grid"]
    section["figures"] = [request.param] if request.param in COMPARED else []
    return read_study(tmp_path, "mlp_grid", config, DATASETS)


def test_every_sentence_and_every_table_of_it_is_made(study, case):
    ledger = Ledger()
    state_study(study, ledger)
    state_findings(study, ledger)
    state_comparison(study, ledger)
    state_summary([study], ledger)
    text = " ".join([make(study) for make, _ in STUDY_TABLES.values()])
    text += components_table([study]) + provenance_table([study])
    text += " ".join(macro.value for macro in ledger.entries.values())
    assert "nan" not in text.split()
    assert {macro_name("mlp_grid", f"Finding {name}") for name in FINDINGS} <= set(ledger.entries)
    if "all diverged" in case or "one cell" in case:
        assert "every run" in ledger.entries[macro_name("mlp_grid", "Finding Failures")].value
    assert summary(study.tables, study.factors)["cells"] == len(study.tables["cells"])
