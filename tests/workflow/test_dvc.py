"""dvc.yaml against the configuration and the graph that its stages run."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from phase2.study.provenance import ROOT


@pytest.fixture
def stages() -> dict:
    return yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


def test_every_figure_of_the_default_run_is_a_plot():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    subjects = config["studies"] | config["probes"]
    drawn = {f"results/desk/figures/{name}/{f}.png" for name, subject in subjects.items() for f in subject["figures"]}
    plots = yaml.safe_load((ROOT / "dvc.yaml").read_text())["plots"]
    assert {plot for plot in plots if isinstance(plot, str)} == drawn


def test_dvc_deletes_no_output_before_a_stage_runs(stages: dict):
    outputs = [out for stage in stages.values() for out in [*stage.get("outs", []), *stage.get("metrics", [])]]
    assert outputs
    assert all(options["persist"] for out in outputs for options in out.values())


def test_every_study_has_its_results_versioned(stages: dict):
    studies = yaml.safe_load((ROOT / "config.yaml").read_text())["studies"]
    versioned = {path for out in stages["grid"]["outs"] for path in out}
    assert versioned == {"checkpoints/desk", *(f"results/desk/{name}" for name in studies)}


def test_dvc_reads_its_stages_in_order():
    dvc = Path(sys.executable).with_name("dvc")
    listed = subprocess.run([dvc, "stage", "list", "--name-only"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert listed.stdout.split() == ["data", "grid", "report"]
