"""What is said of depth, backends and sharing follows the tables: other results, other sentences."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from finished_run import make_cells
from said import expand

from phase2.report.compared import state_comparison
from phase2.report.macros import Ledger

SEEDS = [0, 1, 2]


@pytest.fixture
def compared(study_of):
    """The sentences on one figure of a study with these axes; `accuracy` gives a test accuracy for the levels."""

    def say(figure: str, axes: dict, accuracy, **columns) -> str:
        axes = axes | {"seed": SEEDS}
        levels = list(product(*axes.values()))
        cells: pd.DataFrame = make_cells(axes, failures=False)
        cells = cells.assign(test_accuracy=np.array([accuracy(*each) for each in levels]), curve_area=0.5)
        cells = cells.assign(**{name: [value(*each) for each in levels] for name, value in columns.items()})
        study = study_of(axes, cells=cells)
        study.config["figures"] = [figure]
        ledger = Ledger()
        state_comparison(study, ledger)
        values = {name: macro.value for name, macro in ledger.entries.items()}
        return expand(values["MlpgridComparison"], values)

    return say


DEPTHS = {"model": ["plain", "cifar_resnet"], "depth": [8, 20]}


def by_depth(slopes: dict[str, float]):
    return lambda model, depth, seed: 0.8 + slopes[model] * (depth - 8) / 12 + 1e-4 * seed


def test_degradation_is_told_where_plain_networks_lose_and_residual_ones_gain(compared):
    accuracy = by_depth({"plain": -0.05, "cifar_resnet": 0.02})
    text = compared("depth_curves", DEPTHS, accuracy, train_accuracy=accuracy)
    assert "From 8 to 20 layers" in text
    assert "plain $+5.00$ points on training and $+5.00$ on test images" in text
    assert "ResNet $-2.00$ points" in text
    assert "training error of plain worse and that of ResNet better" in text


@pytest.mark.parametrize(
    ("slopes", "verdict"),
    [
        ((-0.05, -0.05), "training error of plain and ResNet worse, which overfitting cannot explain"),
        ((0.05, 0.05), "of plain and ResNet better: at these depths nothing degrades"),
        ((0.0, 0.0), "neither help nor harm"),
    ],
)
def test_other_courses_have_other_verdicts(compared, slopes, verdict):
    accuracy = by_depth(dict(zip(DEPTHS["model"], slopes, strict=True)))
    assert verdict in compared("depth_curves", DEPTHS, accuracy, train_accuracy=accuracy)


@pytest.mark.parametrize(("gap", "verdict"), [(0.001, "rounding alone parts them"), (0.1, "to be mistrusted")])
def test_backends_are_one_network_or_one_is_mistrusted(compared, gap, verdict):
    text = compared(
        "backends",
        {"backend": ["scratch", "fused"]},
        lambda backend, seed: 0.8 + gap * (backend == "fused"),
        seconds=lambda backend, seed: 3.0 if backend == "scratch" else 2.0,
    )
    assert verdict in text
    assert f"the 3 pairs differ by at most {100 * gap:.2f} points" in text
    assert "1.5 times as long" in text


def test_permuting_costs_what_a_structure_assumed_and_a_dense_network_nothing(compared):
    cost = {"convolutional": 0.2, "dense": 0.001}
    text = compared(
        "sharing",
        {"model": list(cost), "pixels": ["natural", "permuted"]},
        lambda model, pixels, seed: 0.8 + 0.05 * (model == "convolutional") - cost[model] * (pixels == "permuted"),
    )
    assert "convolutional on natural pixels (85.0\\%)" in text
    assert "dense on permuted pixels (79.9\\%)" in text
    assert "convolutional $20.0$ and dense $0.1$" in text
    assert "To dense the order of the pixels is nothing" in text


def test_natural_pixels_alone_say_nothing_of_permuting(compared):
    axes = {"model": ["convolutional", "dense"], "pixels": ["natural"]}
    assert "Permuting" not in compared("sharing", axes, lambda model, pixels, seed: 0.8)
