import pytest
from finished_run import DESK, SMOKE, make_cells

from phase2.report.conclusions import FINDINGS, state_findings
from phase2.report.macros import Ledger
from phase2.report.summary import state_summary

MEDIUM = {
    "activation": ["relu", "tanh", "gelu"],
    "init": ["kaiming", "xavier"],
    "schedule": ["constant", "one_cycle"],
    "seed": [0, 1, 2, 3, 4],
}


def findings(study) -> dict[str, str]:
    """Each finding with its macros expanded."""
    ledger = Ledger()
    state_findings(study, ledger)
    state_summary([study], ledger)
    values = {name: macro.value for name, macro in ledger.entries.items()}

    def expand(text: str) -> str:
        for name in sorted(values, key=len, reverse=True):
            text = text.replace(f"\\{name}{{}}", values[name])
        return text

    found = {name: expand(values[f"MlpgridFinding{name}"]) for name in FINDINGS}
    return found | {"Answer": values["MlpgridAnswer"]}


def test_the_strongest_factor_leads_when_it_does(study_of):
    text = findings(study_of(MEDIUM, failures=False))["Variance"]
    assert text.startswith("The largest share of the variation in test accuracy belongs to schedule")
    assert "ahead of activation" in text


def test_terms_whose_intervals_overlap_are_not_told_apart(study_of):
    assert "not told apart" in findings(study_of(MEDIUM, effect=0.0, failures=False))["Variance"]


def test_interactions_that_dominate_change_the_reading(study_of, tmp_path):
    crossed = findings(study_of(DESK))
    assert "so no factor can be judged without the others" in crossed["Variance"]
    assert crossed["Answer"].startswith("The choices cannot be made one at a time")


def test_the_best_is_distinguishable_when_the_effect_is_large_and_not_when_there_is_none(study_of, tmp_path):
    axes = {"init": ["kaiming", "normal_large"], "seed": [0, 1, 2, 3, 4]}
    text = findings(study_of(axes, failures=False))
    assert "It is distinguishable from the runner-up, N(0, 1)" in text["Best"]
    assert "One recipe stands apart" in text["Answer"]


def test_the_best_is_not_distinguishable_without_an_effect(study_of):
    text = findings(study_of(MEDIUM, effect=0.0, failures=False))
    assert "It is not distinguishable from the runner-up" in text["Best"]
    assert "No recipe is the best beyond doubt" in text["Answer"]


def test_equal_best_means_are_called_shared(study_of):
    cells = make_cells(MEDIUM, failures=False).assign(test_accuracy=0.8, curve_area=0.7)
    text = findings(study_of(MEDIUM, cells))
    assert "is shared by 12 combinations" in text["Best"]
    assert text["Variance"] == "All runs score alike, so there is no variation to divide."
    assert text["Order"].startswith("By at least one measure all combinations score alike")


def test_two_seeds_are_too_few_for_verdicts(study_of):
    text = findings(study_of(SMOKE, failures=False))
    assert "too few seeds" in text["Best"]
    assert "too few seeds" in text["Variance"]
    assert "too few seeds" in text["Pairs"]
    assert "With so few seeds" in text["Answer"]


def test_no_failure_is_said_so(study_of):
    text = findings(study_of(MEDIUM, failures=False))
    assert text["Failures"] == "None of the 60 runs diverged, and none ended within 2 points of chance."
    assert "No run failed" in text["Answer"]


def test_failures_are_placed_by_the_factors_that_bring_them(study_of):
    text = findings(study_of(DESK))["Failures"]
    assert "diverged, the first at step" in text
    assert "By activation, the failures are at sigmoid (50 of 125)" in text
    assert "within sigmoid, by initialization, they are at Kaiming (25 of 25)" in text


def test_a_grid_that_failed_altogether_is_said_so(study_of):
    cells = make_cells(SMOKE).assign(status="diverged", diverged_step=3.0, test_accuracy=None, curve_area=None)
    text = findings(study_of(SMOKE, cells))
    assert text["Failures"].endswith("So every run failed.")
    assert "Nothing varied" in text["Answer"]


@pytest.mark.parametrize(("seeds", "able"), [(5, "cannot reach"), (6, "can reach")])
def test_what_the_sign_flip_test_can_show_depends_on_the_number_of_seeds(study_of, seeds, able):
    text = findings(study_of({"init": ["kaiming", "xavier"], "seed": list(range(seeds))}))["Pairs"]
    assert f"${'p=0.0625' if seeds == 5 else 'p=0.03125'}$" in text
    assert f"by itself it {able}" in text


@pytest.mark.parametrize(
    ("size", "said"), [({}, "differ: Kaiming over N(0, 1) by "), ({"effect": 0.0}, "cannot be told apart")]
)
def test_two_levels_are_told_of_as_two_and_not_as_one_pair_of_one(study_of, size, said):
    axes = {"init": ["kaiming", "normal_large"], "seed": [0, 1, 2, 3, 4]}
    text = findings(study_of(axes, failures=False, **size))
    assert f"the two levels of initialization {said}" in text["Pairs"]
    assert "pairs" not in text["Pairs"]
    assert "other combinations" not in text["Best"]


def test_a_factor_held_at_one_level_is_named_and_not_compared(study_of):
    text = findings(study_of(MEDIUM | {"init": ["kaiming"]}))
    assert text["Pairs"].endswith("Held at a single level, and so not compared: initialization.")
    assert "initialization" not in text["Variance"]


def test_a_single_combination_is_no_contest(study_of):
    text = findings(study_of({"init": ["kaiming"], "seed": [0, 1, 2]}))
    assert "single combination" in text["Best"]
    assert text["Variance"].startswith("No factor has more than one level")
    assert "too few combinations" in text["Order"]


def test_leaders_that_differ_by_measure_are_named(study_of):
    cells = make_cells(MEDIUM, failures=False)
    cells["curve_area"] = 0.7 + 0.1 * (cells["schedule"] == "constant") + 0.001 * cells["seed"]
    text = findings(study_of(MEDIUM, cells))["Order"]
    assert "for schedule one-cycle leads by final score and constant by area" in text


@pytest.mark.parametrize("seeds", [1, 2])
def test_the_part_of_the_seed_needs_two_seeds(study_of, seeds):
    text = findings(study_of(MEDIUM | {"seed": list(range(seeds))}))["Seed"]
    assert ("cannot be estimated" in text) == (seeds == 1)
