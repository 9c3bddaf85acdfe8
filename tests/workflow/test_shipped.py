"""A run of shipped cells in a checkout: nothing is trained, a changed code is told and no reason to make anything again
but what tells of it.
"""

import json
from pathlib import Path

import pandas as pd
import pytest
from checkout import LEAN, SMOKE, Checkout, Ran, new_checkout

from phase2.run.config import load
from phase2.source import ROOT

CONFIG = ("--configfile", SMOKE, "--configfile", LEAN, "--configfile", "overlay.json")
TRAINED = ("ok", "diverged")


def overlay() -> dict:
    """One study of the lean smoke run, its cells shipped, and no probes."""
    config = load([ROOT / name for name in ("config.yaml", SMOKE, LEAN)])
    studies = {name: None for name in config.studies if name != "mlp_grid"}
    return {"run": "shown", "shipped": "shipped", "studies": studies, "probes": dict.fromkeys(config.probes)}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, Ran]:
    """A checkout that filled its store and shipped the cells, lost the store, and made the run."""
    checkout = new_checkout(tmp_path_factory.mktemp("shipped") / "phase2")
    (checkout.folder / "overlay.json").write_text(json.dumps(overlay()))
    checkout.phase2("fill", *CONFIG).succeeded()
    checkout.phase2("ship", *CONFIG).succeeded()
    checkout.run(["rm", "-rf", ".phase2", "data"]).succeeded()
    return checkout, checkout.snakemake(config=overlay()).succeeded()


def cells(checkout: Checkout) -> pd.DataFrame:
    return pd.read_csv(checkout.folder / "results" / "shown" / "tables" / "mlp_grid" / "cells.csv")


def test_it_is_made_without_training_and_without_the_data(shown: tuple[Checkout, Ran]):
    checkout, ran = shown
    assert ran.jobs["restore"] == 1
    assert not [job for job in ran.jobs if job.startswith(("train_", "baseline_", "download", "prepare"))]
    assert set(cells(checkout)["status"]) <= set(TRAINED)
    assert (checkout.folder / "results" / "shown" / "report.pdf").exists()
    assert not (checkout.folder / "data").exists()


def test_a_second_run_has_nothing_to_do_and_everything_agrees(shown: tuple[Checkout, Ran]):
    checkout, _ = shown
    assert not checkout.snakemake(config=overlay()).succeeded().jobs
    checkout.phase2("verify", *CONFIG).succeeded()


def test_code_that_changed_is_told_of_each_cell_and_trains_none(shown: tuple[Checkout, Ran]):
    checkout, _ = shown
    assert not cells(checkout)["changed"].any()
    path = Path("phase2/schedules/cosine.py")
    text = (checkout.folder / path).read_text()
    (checkout.folder / path).write_text(f"{text}\n\nUNUSED = 1\n")
    ran = checkout.snakemake(config=overlay()).succeeded()
    assert "restore" not in ran.jobs
    assert not [job for job in ran.jobs if job.startswith("train_")]
    table = cells(checkout)
    assert set(table.loc[table["changed"], "schedule"]) == {"cosine"}
    checkout.phase2("verify", *CONFIG).succeeded()
