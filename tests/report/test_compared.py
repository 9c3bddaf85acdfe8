"""What is said of rates, decays and budgets follows the tables: other results, other sentences."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from finished_run import make_cells
from said import expand

from phase2.report.compared import COMPARED, state_comparison
from phase2.report.macros import Ledger

SEEDS = [0, 1, 2]
RATES = [0.001, 0.01, 0.1, 1.0]


def scored(axes: dict, accuracy) -> pd.DataFrame:
    """Cells of a grid whose accuracy is a function of the levels, with a little of the seed."""
    cells = make_cells(axes, failures=False)
    values = [accuracy(*levels) for *levels, _ in product(*axes.values())]
    return cells.assign(test_accuracy=np.array(values) + 1e-4 * cells.seed, curve_area=0.5)


@pytest.fixture
def compared(study_of):
    """The sentences on one figure of a study with these axes and accuracies."""

    def say(figure: str, axes: dict, accuracy) -> str:
        study = study_of(axes | {"seed": SEEDS}, cells=scored(axes | {"seed": SEEDS}, accuracy))
        study.config["figures"] = ["ranking", figure]
        ledger = Ledger()
        state_comparison(study, ledger)
        values = {name: macro.value for name, macro in ledger.entries.items()}
        return expand(values["MlpgridComparison"], values)

    return say


def bump(center: float, width: float = 1.0):
    """An accuracy that falls off with the distance from a rate, in decades."""
    return lambda lr: 0.8 - 0.05 * (np.log10(lr / center) / width) ** 2


def test_a_study_without_such_a_figure_is_compared_in_no_words(study_of):
    ledger = Ledger()
    state_comparison(study_of({"activation": ["relu"], "seed": SEEDS}), ledger)
    assert ledger.entries["MlpgridComparison"].value == ""


def test_best_rates_are_named_with_how_particular_each_level_is(compared):
    peaks = {"sgd": bump(0.1, 0.5), "adam": bump(0.01, 3.0)}
    text = compared("lr_sensitivity", {"optimizer": ["sgd", "adam"], "lr": RATES}, lambda o, lr: peaks[o](lr))
    assert "the same 4 learning rates; the best is 0.1 for SGD and 0.01 for Adam" in text
    assert "The least particular is Adam, with 3 of 4 rates within 1 point of its best; the most, SGD, with 1" in text
    assert "too short" not in text


def test_a_best_rate_at_the_end_of_the_list_says_that_the_list_was_too_short(compared):
    text = compared("lr_sensitivity", {"optimizer": ["sgd", "adam"], "lr": RATES}, lambda o, lr: bump(1.0, 0.5)(lr))
    assert "All are equally particular: 1 of the rates" in text
    assert "For SGD and Adam the best rate is at an end of the list, which was too short" in text


@pytest.mark.parametrize(
    ("power", "verdict"),
    [(1.0, "nearer to the linear rule"), (0.5, "nearer to the square-root rule"), (0.0, "does not move")],
)
def test_the_best_rate_against_the_batch_size_is_a_power_law(compared, power, verdict):
    rates = [10 ** (exponent / 4) for exponent in range(-16, 9)]
    axes = {"lr": rates, "batch_size": [16, 64, 256]}
    text = compared("lr_sensitivity", axes, lambda lr, batch: bump(0.001 * (batch / 16) ** power)(lr))
    assert verdict in text


def test_rate_and_decay_that_add_up_are_chosen_apart_and_those_that_multiply_together(compared):
    decays = [0.0, 0.01, 0.1]

    def accuracy(optimizer, lr, decay):
        distance = np.log10(lr / 0.01) ** 2
        product_matters = -0.3 * abs(lr * decay - 0.001) if optimizer == "adam" else -0.1 * abs(decay - 0.01)
        return 0.8 - 0.01 * distance + product_matters

    axes = {"optimizer": ["adam", "adamw"], "lr": RATES, "weight_decay": decays}
    text = compared("decay_map", axes, accuracy)
    assert "For AdamW, the best decay is 0.01 at every rate; rate and decay interact in 0.0\\% of" in text
    assert "For Adam, the best decay is between 0 and 0.1, by the rate" in text
    assert "can be chosen apart: with AdamW, and not with Adam." in text


def test_the_best_schedule_by_budget_and_what_the_choice_is_worth(compared):
    axes = {"schedule": ["constant", "cosine"], "epochs": [2, 8]}
    same = compared("budget_curves", axes, lambda s, n: 0.7 + 0.01 * n + (s == "cosine") * 0.1 / n)
    assert "At every budget the best schedule is cosine." in same
    assert "5.0 points at the smallest budget and 1.2 points at the largest: what the choice is worth shrinks" in same


def test_a_best_schedule_that_changes_with_the_budget_is_named_for_each(compared):
    axes = {"schedule": ["constant", "cosine"], "epochs": [2, 8]}
    text = compared("budget_curves", axes, lambda s, n: 0.7 + (0.01 * (n - 4) if s == "cosine" else 0))
    assert "depends on the budget: constant at 2 epochs and cosine at 8 epochs" in text
    assert "does not shrink" in text


def test_every_comparison_belongs_to_a_figure_of_studies():
    from phase2.figures.catalog import FIGURES, STUDY

    assert all(FIGURES[name].of == STUDY for name in COMPARED)
