"""The sentences on dropout at inference: the right numbers, and other sentences for other results."""

from itertools import product

import numpy as np
import pandas as pd
from said import SEEDS, rows, said

from phase2.report.measured_words import NOTHING, TOO_FEW


def doubt(
    cost: float = 0.04,
    worse: float = 0.1,
    monte: float = -0.02,
    entropy=(0.3, 0.8, 1.1),
    area: float = 0.9,
    seeds=SEEDS,
) -> dict[str, pd.DataFrame]:
    accuracy = {"deterministic": 0.9, "unscaled": 0.9 - cost, "monte_carlo": 0.905}
    ece = {"deterministic": 0.05, "unscaled": 0.05 + worse, "monte_carlo": 0.05 + monte}
    inference = [(p, s, m, accuracy[m], ece[m]) for p, s, m in product((0.0, 0.5), seeds, accuracy)]
    kinds = zip(("0", "45", "90", "unfamiliar"), (*entropy, 1.5), (0.9, 0.6, 0.3, np.nan), strict=True)
    shift = [(seed, *kind) for kind, seed in product(kinds, seeds)]
    scores = {"predictive_entropy": area, "mutual_information": area - 0.1}
    detection = [(s, kind, score, a) for s, kind, (score, a) in product(seeds, ("unfamiliar", "90"), scores.items())]
    return {
        "inference": rows(["dropout", "seed", "method", "accuracy", "ece"], *inference),
        "shift": rows(["seed", "kind", "predictive_entropy", "accuracy"], *shift),
        "detection": rows(["seed", "kind", "score", "auroc"], *detection),
    }


def test_uncertainty_says_what_the_mistake_costs_and_where_doubt_is():
    measured, text = said("uncertainty", doubt())
    assert r"6 networks of the study \texttt{dropout}" in measured
    assert "classified 300 test images" in measured
    assert r"rate, $0.5$, test accuracy and expected calibration error are ($90.00 \pm 0.00$)\% and $0.050" in text
    assert "costs 4.00 points of accuracy and raises the calibration error by $0.100$, in every seed" in text
    assert "inference by Monte Carlo has the lesser calibration error, in every seed" in text
    assert r"up to $90$ degrees takes the accuracy from ($90.00 \pm 0.00$)\% to ($30.00 \pm 0.00$)\%" in text
    assert r"from $0.300 \pm 0.000$ to $1.100 \pm 0.000$ nats" in text
    assert "growing at every step" in text
    assert "predictive entropy is the best score, in every seed" in text


def test_opposite_uncertainty_gives_the_opposite_sentences():
    text = said("uncertainty", doubt(cost=-0.01, worse=-0.03, monte=0.02, entropy=(0.3, 0.2, 0.1), area=0.5))[1]
    assert "gains 1.00 points of accuracy and lowers the calibration error by $0.030$" in text
    assert "inference without masks has the lesser calibration error" in text
    assert "so that doubt does not grow with the angle" in text
    assert "no score does better than chance" in text
    text = said("uncertainty", doubt(cost=0, worse=0, monte=0, entropy=(0.3, 1.2, 1.1)))[1]
    assert "costs nothing in accuracy and leaves the calibration error as it is" in text
    assert "calibrated alike" in text
    assert r"not at every step: it is largest at $45$ degrees" in text


def test_two_seeds_are_too_few_to_call_a_way_or_a_score_the_best():
    text = said("uncertainty", doubt(seeds=[0, 1]))[1]
    assert r"\pm" not in text
    assert "lesser" not in text
    assert "best score" not in text
    assert text.endswith(TOO_FEW)


def test_a_mistake_that_does_not_cost_in_every_seed_is_said_to():
    tables = doubt()
    inference = tables["inference"]
    inference.loc[(inference["seed"] == 1) & (inference["method"] == "unscaled"), "accuracy"] = 0.95
    assert (
        "points of accuracy and raises the calibration error by $0.100$, though only in 2 of 3 seeds"
        in (said("uncertainty", tables)[1])
    )


def test_upright_images_alone_say_nothing_of_the_angle():
    tables = doubt()
    shift = tables["shift"]
    tables["shift"] = shift[shift["kind"].isin(["0", "unfamiliar"])]
    assert "cannot be said" in said("uncertainty", tables, angles=[0])[1]


def test_inference_without_a_finite_number_say_nothing():
    assert said("uncertainty", {"inference": doubt()["inference"].iloc[:0]})[1] == NOTHING
