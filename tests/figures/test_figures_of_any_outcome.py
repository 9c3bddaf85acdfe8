"""Every figure of the catalogue draws whatever a run may end with: nothing left, one of each, not a number."""

from functools import cache
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
from synthetic import BRIER, SCORE, SMOKE, derived, judged_by, runs
from test_figures import check_every_text_is_inside_and_readable

from phase2.figures.catalog import FIGURES, STUDY, load
from phase2.figures.style import NOTHING
from phase2.study.tables import read_table

GRIDS = {
    "lr_sensitivity": {"optimizer": ["sgd", "adam"], "lr": [0.01, 0.1]},
    "decay_map": {"optimizer": ["adam", "adamw"], "lr": [0.001, 0.01], "weight_decay": [0.0, 0.1]},
    "budget_curves": {"schedule": ["constant", "one_cycle"], "epochs": [1, 2]},
    "depth_curves": {"model": ["plain", "cifar_resnet"], "depth": [8, 20]},
    "sharing": {"model": ["convolutional", "dense"], "pixels": ["natural", "permuted"]},
}
STUDIES = {
    "all diverged at once": {"lived": 0},
    "all diverged after an epoch": {"lived": 1},
    "all but one diverged": {"lived": 0, "spared": 1},
    "one seed": {"seeds": 1},
    "five seeds": {"seeds": 5},
    "one level of every axis": {"levels": 1},
    "one cell, diverged": {"seeds": 1, "levels": 1, "lived": 0},
    "no epochs": {"epochs": 0},
    "not a number": {"accuracy": np.nan},
    "another metric": {"score": BRIER, "lived": 2, "spared": 4},
    "another metric, all diverged": {"score": BRIER, "lived": 0},
}
MEASURED = ["val_accuracy", "test_accuracy", "train_accuracy", "curve_area"]
OF_STUDIES = [name for name, figure in FIGURES.items() if figure.of == STUDY]
OF_PROBES = [name for name, figure in FIGURES.items() if figure.of != STUDY]


@cache
def study_of(case, figure):
    """The tables of a case, on a grid that the figure can draw."""
    return study(GRIDS.get(figure, SMOKE), **STUDIES[case])


def study(grid, seeds=2, levels=None, epochs=3, lived=None, spared=0, accuracy=None, score=SCORE):
    """The tables of a study: all cells but those `spared` diverge after the epochs that they `lived`, if that is set;
    all results are of that `accuracy`, if that is; `score` is what they are judged by.
    """
    grid = {axis: values[:levels] for axis, values in grid.items()}
    cells, curves = runs(grid, seeds, max(epochs, 1))
    curves = curves[curves.epoch <= epochs]
    cells = cells.assign(status="ok", diverged_step=np.nan, **dict.fromkeys(MEASURED, 0.9))
    if lived is not None:
        lost = cells.index >= spared
        cells.loc[lost, MEASURED] = np.nan
        cells.loc[lost, "diverged_step"] = 3.0
        cells.loc[lost, "status"] = "diverged"
        curves = curves[~curves.id.isin(cells.id[lost]) | (curves.epoch <= lived)]
    if accuracy is not None:
        cells = cells.assign(**dict.fromkeys(MEASURED, accuracy))
        curves = curves.assign(accuracy=accuracy)
    if score != SCORE:
        cells, curves = judged_by(score, cells, curves)
    return derived(cells, curves, list(grid), score)


def draw(name, tables, folder):
    """The figure of tables as it is drawn of a run: each was a file before."""
    read = {}
    for table in FIGURES[name].tables:
        tables[table].to_csv(folder / f"{table}.csv", index=False)
        read[table] = read_table(folder / f"{table}.csv")
    figure = load(name)(**read)
    check_every_text_is_inside_and_readable(figure)
    return figure


@pytest.mark.parametrize("case", STUDIES)
@pytest.mark.parametrize("name", OF_STUDIES)
def test_a_figure_of_a_study_draws_whatever_became_of_its_cells(name, case, tmp_path):
    draw(name, study_of(case, name if name in GRIDS else ""), tmp_path)


# What each figure of a probe draws: the tables that the tests of the figure make up.
MADE_UP = {
    "activation_histograms": lambda: {"histograms": module("gradient_flow").shapes()},
    "activation_shapes": lambda: {"shapes": module("activation_shapes").probe.measure(SHAPES)["shapes"]},
    "approximation": lambda: module("approximation").tables(),
    "batch_noise": lambda: {"noise": module("batch_noise").noise()},
    "curvature": lambda: {"curvature": module("curvature").made_up()},
    "confusion": lambda: {"confusion": module("mistakes").made_up()["confusion"]},
    "descent_paths": lambda: module("descent_paths").made_up(),
    "dropout_inference": lambda: {
        "inference": module("uncertainty").inference(),
        "calibration": module("uncertainty").calibration(),
    },
    "edge_of_stability": lambda: {"path": module("edge_of_stability").made_up()},
    "erf_growth": lambda: module("erf_growth").made_up(),
    "erf_maps": lambda: module("erf_maps").made_up(module("erf_maps").FAMILIES),
    "first_filters": lambda: module("first_filters").made_up(),
    "four_ways": lambda: module("four_ways").tables(),
    "gradient_flow": lambda: {"layers": module("gradient_flow").signals()},
    "hessian_spectrum": lambda: {"spectrum": module("hessian_spectrum").made_up()},
    "landscape_lines": lambda: module("landscape_lines").made_up(module("landscape_lines").DESK),
    "landscape_planes": lambda: {"planes": module("landscape_planes").made_up(module("landscape_planes").DESK)},
    "linear_probes": lambda: {"linear_probes": module("linear_probes").made_up()},
    "lsuv_convergence": lambda: {"convergence": module("lsuv_convergence").table()},
    "mean_field": lambda: module("mean_field").made_up(),
    "mistaken_images": lambda: module("mistakes").made_up(),
    "ntk_convergence": lambda: module("ntk_convergence").made_up(),
    "ntk_training": lambda: module("ntk_training").made_up(),
    "range_test": lambda: module("range_test").made_up(),
    "trainability": lambda: module("trainability").made_up(),
    "trajectories": lambda: {
        name: table.sort_values("lr", kind="stable") if name == "tuning" else table
        for name, table in module("trajectories").made_up().items()
    },
    "uncertainty_shift": lambda: {
        "shift": module("uncertainty").shift(),
        "detection": module("uncertainty").detection(),
    },
    "unit_health": lambda: {"units": module("unit_health").units()},
}
SHAPES = SimpleNamespace(activations=["relu", "gelu"], low=-4.0, high=4.0, points=81)
# Columns that say where something was measured; all other columns of fractions are what was measured there.
PLACES = {"lr", "weight_std", "bias_std", "x", "y", "position", "dropout", "bin_left", "bin_right", "condition"}
AXES = {"activation", "init", "model", "depth", "norm", "target", "width", "optimizer", "lr", "batch_size", "variant"}


def module(figure):
    """The tests of a figure, which make up its tables."""
    return import_module(f"test_{figure}")


def none_left(table):
    return table.iloc[:0]


def one_seed(table):
    return table[table.seed == table.seed.iloc[0]] if "seed" in table else table


def one_level(table):
    for axis in AXES & set(table):
        table = table[table[axis] == table[axis].iloc[0]]
    return table


def not_a_number(table):
    places = PLACES - {"x", "y"} if "step" in table else PLACES  # where a path comes is measured
    measured = [name for name in table.select_dtypes(float) if name not in places]
    return table.assign(**dict.fromkeys(measured, np.nan))


@pytest.mark.parametrize("case", [none_left, one_seed, one_level, not_a_number])
@pytest.mark.parametrize("name", OF_PROBES)
def test_a_figure_of_a_probe_draws_whatever_was_left_to_measure(name, case, tmp_path):
    figure = draw(name, {table: case(made_up) for table, made_up in MADE_UP[name]().items()}, tmp_path)
    if case in (none_left, not_a_number):
        assert [text.get_text() for text in figure.texts] == [NOTHING]


@pytest.mark.parametrize("name", [name for name in OF_STUDIES if "curves" in FIGURES[name].tables])
def test_a_figure_of_learning_curves_says_that_every_run_diverged(name, tmp_path):
    figure = draw(name, study_of("all diverged at once", name if name in GRIDS else ""), tmp_path)
    if name == "learning_curves":  # a cross for each cell
        assert "a seed diverged" in [text.get_text() for text in figure.legends[0].get_texts()]
    elif name != "schedules":  # which has its functions to show
        assert [text.get_text() for text in figure.texts] == [NOTHING]
