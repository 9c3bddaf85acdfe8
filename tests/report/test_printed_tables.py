"""The tables of a study as they are printed, and what its specification says."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from finished_run import BASELINES, DESK, make_cells

from phase2.probe.catalog import PROBES
from phase2.report.inputs import ProbeInputs, StudyInputs
from phase2.report.latex import plain
from phase2.report.probe_tables import tables_of as probe_tables
from phase2.report.published import published_table
from phase2.report.spec import study_spec
from phase2.report.tables import (
    chosen_table,
    failures_table,
    pairs_table,
    ranking_table,
    spread,
    tables_of,
    variance_table,
)
from phase2.report.tabular import Behind
from phase2.study.factors import SEED

FEW = {"activation": ["relu", "gelu"], "lr": [0.1, 0.01], "seed": [0, 1, 2]}
SAFE = {"activation": ["relu", "gelu", "tanh"], "schedule": ["constant", "one_cycle"], "seed": [0, 1, 2, 3, 4]}


def test_what_was_chosen_is_best_on_validation_and_its_test_score_is_the_mean_over_its_seeds(study_of):
    study = study_of(SAFE)
    cells = study.tables["cells"]
    means = cells.groupby(study.factors)[["val_accuracy", "test_accuracy"]].mean()
    best = means.loc[means["val_accuracy"].idxmax()]
    table = chosen_table(study)
    assert table.rows[0][1:3] == tuple(f"{100 * score:.2f}" for score in best)
    assert [row[2] for row in table.rows[1:]] == [f"{100 * score:.2f}" for score in BASELINES["test_score"]]
    assert table.behind[0] == Behind("mlp_grid", dict(zip(study.factors, means["val_accuracy"].idxmax(), strict=True)))
    assert all(behind == Behind() for behind in table.behind[1:])


def test_few_seeds_have_their_range_and_no_interval(study_of):
    few = study_of(FEW, failures=False)
    row = few.table("ranking").iloc[0]
    here = few.tables["cells"].query("activation == @row.activation and lr == @row.lr")["val_accuracy"]
    assert plain(spread(few, row)) == f"{100 * here.min():.2f} to {100 * here.max():.2f}"
    assert "[" not in " ".join(ranking_table(few).rows[0])


def test_many_seeds_have_an_interval_around_their_mean(study_of):
    ranking = ranking_table(study_of(SAFE))
    mean, interval = ranking.rows[0][3:5]
    low, high = map(float, re.findall(r"[\d.]+", interval))
    assert low < float(mean) < high


def test_a_run_that_diverged_is_counted_and_in_no_mean(study_of):
    cells = make_cells(FEW, failures=False)
    lost = (cells["activation"] == "relu") & (cells["lr"] == 0.1) & (cells[SEED] == 0)
    cells.loc[lost, ["status", "diverged_step"]] = ["diverged", 7.0]
    cells.loc[lost, ["val_accuracy", "test_accuracy", "curve_area"]] = np.nan
    study = study_of(FEW, cells)
    last = ranking_table(study).rows[-1]
    assert last[1:3] == ("ReLU", "0.1")
    assert last[5:7] == ("2", "1")
    assert failures_table(study).rows == [("ReLU", "0.1", "3", "1", "0", "7")]


def test_a_table_without_rows_is_not_printed(study_of):
    names = [table.key for table in tables_of(study_of({"activation": ["relu"], "seed": [0, 1]}, failures=False))]
    assert names == ["mlp_grid:chosen", "mlp_grid:ranking", "mlp_grid:levels"]


def test_shares_of_variance_are_printed_for_two_factors_or_more(study_of):
    table = variance_table(study_of(SAFE))
    terms = ["activation", "schedule", "activation $\\times$ schedule", "seed", "residual"]
    assert [row[0] for row in table.rows] == terms
    assert sum(float(row[2]) for row in table.rows) == pytest.approx(100, abs=0.3)


def test_pairs_are_traced_to_the_runs_of_both_levels(study_of):
    table = pairs_table(study_of(SAFE))
    assert table.behind[0] == Behind("mlp_grid", {"activation": ["relu", "gelu"]})
    assert "ReLU -- GELU" in table.rows[0]


def test_the_specification_has_data_axes_runs_and_what_is_not_at_its_default(study_of):
    told = dict(study_spec(study_of(DESK)))
    assert plain(told["Data"]).endswith(
        "images 10,000 for training, 2,000 for validation and 10,000 for testing; 10 classes, the largest of which "
        "scores 10.00%"
    )
    assert told["Activation (6)"] == "ReLU, LeakyReLU, GELU, SiLU, tanh and sigmoid"
    assert told["Runs"] == "750 of 5 seeds, 632 steps each"
    assert {name: plain(told[name]) for name in ("Width", "Depth", "Learning rate", "Weight decay")} == {
        **{"Width": "64", "Depth": "6", "Learning rate": "0.05", "Weight decay": "0.0005"}
    }
    assert told["Optimizer nesterov"] == "yes"
    assert not {"Activation", "Schedule", "Dropout", "Keep", "Seed"} & told.keys()


@pytest.mark.parametrize(
    ("rows", "columns", "shown"), [(20, 8, (20, 8)), (21, 3, (5, 3)), (2, 9, (2, 8)), (0, 2, None)]
)
def test_a_small_table_of_a_probe_is_printed_whole_and_of_others_the_first_rows(rows, columns, shown):
    options = PROBES["model_sizes"].model_validate({"probe": "model_sizes", "question": "?", "figures": []})
    frame = pd.DataFrame({f"column_{place}": np.full(rows, 0.123456) for place in range(columns)})
    made = probe_tables(ProbeInputs("sizes", options, {"sizes": frame}, {}))
    if shown is None:
        assert not made
        return
    assert (len(made[0].rows), len(made[0].heads)) == shown
    assert ("first" in made[0].caption) == (shown[0] < rows)
    assert (" of 9 columns" in made[0].caption) == (columns > 8)
    assert made[0].rows[0][0] == "$0.1235$"
    assert made[0].heads[0] == "column 0"


OF_THE_PAPER = {"model": ["plain", "cifar_resnet"], "depth": [20, 56], "seed": [0, 1, 2, 3, 4]}


def of_the_paper(study_of, **changes) -> StudyInputs:
    """The study of the paper's networks on CIFAR-10's images from JPEG."""
    study = study_of(OF_THE_PAPER, failures=False)
    task = study.study.task.model_copy(update={"dataset": "cifar10_jpeg", **changes})
    return replace(study, study=study.study.model_copy(update={"task": task}))


def test_what_papers_published_stands_beside_what_was_measured_with_the_difference_and_its_reasons(study_of):
    study = of_the_paper(study_of)
    table = published_table(study)
    assert [row[:2] for row in table.rows] == [
        ["ResNet, 20", r"8.75~\cite{he2016}"],
        ["ResNet, 56", r"6.97~\cite{he2016}"],
    ]
    here = study.tables["cells"].query("model == 'cifar_resnet' and depth == 20")["test_accuracy"]
    _, _, mean, interval, n, gap, differs = table.rows[0]
    assert float(mean) == pytest.approx(100 * (1 - here.mean()), abs=0.005)
    low, high = map(float, re.findall(r"[\d.]+", interval))
    assert low < float(mean) < high
    assert float(plain(gap)) == pytest.approx(float(mean) - 8.75, abs=0.011)
    assert (n, plain(differs)) == ("5", "images from CIFAR-10 as JPEG; 632 for 64,000 steps; 2,000 images held out")
    assert table.behind[0] == Behind("mlp_grid", {"model": "cifar_resnet", "depth": 20})


def test_nothing_is_published_of_other_data(study_of):
    assert not published_table(of_the_paper(study_of, dataset="fashion_mnist")).rows


def test_nothing_is_published_of_other_networks(study_of):
    assert not published_table(study_of(SAFE)).rows
