"""Results that are valid and of little use: every run diverged, or a part of the run failed. There is a report."""

from typing import Any

import pytest
from checkout import Checkout
from pdf import words_of

DIVERGING = {"studies": {"mlp_grid": {"optimizer": {"lr": 1e30, "options": {"momentum": 0.0, "nesterov": False}}}}}


def with_another_study(dataset: str) -> dict[str, Any]:
    """A second study, of data that may not be had, and a probe that reads its networks."""
    study = {
        "question": "What is missing?",
        "task": {"dataset": dataset, "validation": 300},
        "model": {"name": "mlp", "width": 8, "depth": 1},
        "optimizer": {"name": "sgd", "lr": 0.1},
        "budget": {"epochs": 1, "batch_size": 64},
        "axes": {"activation": ["relu"], "seed": [0]},
        "figures": ["learning_curves"],
    }
    probe = {
        "probe": "unit_health",
        "study": "another",
        "question": "And dead?",
        "batch": 20,
        "figures": ["unit_health"],
    }
    return {"studies": {"another": study}, "probes": {"another_health": probe | {"figures": ["unit_health"]}}}


def test_a_run_in_which_every_cell_diverges_is_reported(project: Checkout):
    ran = project.snakemake("all", config=DIVERGING).succeeded()
    assert ran.cells == {"trained": 16, "restored": 0, "diverged": 16, "not finished": 0}
    text = words_of(project.folder / "results/smoke/report.pdf")
    assert "16 of its runs diverged" in text


def test_without_a_study_that_fails_the_others_are_reported_and_later_all(project: Checkout):
    report, recorded = (project.folder / "results/smoke" / name for name in ("report.pdf", "config.yaml"))
    broken, whole = with_another_study("cifar10_jpeg"), with_another_study("digits")
    report.unlink()
    project.snakemake("report", config=broken).failed_with("cannot get cifar10-jpeg.tar.xz")
    assert not report.exists()
    ran = project.snakemake("report", "-k", config=broken).failed_with(
        "cannot get cifar10-jpeg.tar.xz", "report: results/smoke/report.pdf, which lacks another, another_health"
    )
    assert ran.jobs["typeset"] == 2
    assert "not whole: it lacks another and another_health, which failed" in words_of(report)
    assert "missing:\n- another\n- another_health\n" in recorded.read_text()
    project.snakemake("report", config=whole).succeeded()
    text = words_of(report)
    assert "not whole" not in text
    assert "What is missing?" in text
    assert "missing: []" in recorded.read_text()


@pytest.mark.parametrize("missing", [["mlp_grid"], ["another"]])
def test_what_is_missing_is_not_for_a_configuration_to_say(missing: list[str], project: Checkout):
    project.snakemake("report", config={"missing": missing}).failed_with("missing")
