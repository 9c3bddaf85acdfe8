"""The sentences on the optimizers' paths and the range test: the right numbers, and others for other results."""

import numpy as np
import pandas as pd
from said import rows, said

from phase2.report.measured_words import NOTHING, TOO_FEW

RATES = [0.01, 0.1, 1.0]


def paths(best: dict[tuple[str, str], int], shares=(0.7, 0.2), factors=(0.8, 0.5), diverged=()) -> dict:
    """Final losses that fall towards the best rate's place; measured and theoretical factor of the quadratic."""
    tuning = []
    for (problem, optimizer), at in best.items():
        for place, lr in enumerate(RATES):
            lost = (problem, optimizer, lr) in diverged
            tuning.append((problem, optimizer, lr, np.nan if lost else abs(place - at) + 0.1, lost, place == at))
    step, (measured, theory) = np.arange(41), factors
    quadratic = pd.DataFrame({"step": step, "distance": measured**step * 2, "rate": theory, "method": "momentum"})
    return {
        "tuning": rows(["problem", "optimizer", "lr", "final_loss", "diverged", "best"], *tuning),
        "surface": rows(["share_x", "share_y"], shares, shares),
        "quadratic": quadratic,
    }


def test_the_optimizers_are_ranked_with_the_rate_at_which_each_was_best():
    tables = paths({("network", "sgd"): 1, ("network", "adam"): 1, ("beale", "adam"): 1})
    tables["tuning"].loc[1, "final_loss"] = 0.3
    measured, text = said("trajectories", tables)
    assert "at each of 3 rates from $0.01$ to $1$." in measured
    assert "40 steps at each of 3 rates." in measured
    assert "The least training loss is that of Adam ($0.1$ at a rate of $0.1$), followed by SGD ($0.3$" in text
    assert "Of the test functions, the least value is that of Adam ($0.1$ at a rate of $0.1$) on" in text
    assert "No best rate is at an end of its list." in text


def test_a_best_rate_at_an_end_of_its_list_is_told_with_the_trainings_that_diverged():
    lost = [("network", "sgd", 1.0), ("network", "adam", 1.0)]
    tables = paths({("network", "sgd"): 0, ("network", "adam"): 1, ("quadratic", "adam"): 2}, diverged=lost)
    text = said("trajectories", tables)[1]
    assert (
        "at an end of the list for SGD on the network and Adam on the quadratic: there the list was too short" in text
    )
    assert "(2 of 9 trainings and descents diverged)" in text


def test_the_planes_share_decides_what_the_map_is_worth():
    best = {("network", "sgd"): 1, ("beale", "sgd"): 1}
    assert (
        r"holds 90.0\% of the paths' squared distances from their start (70.0\% and 20.0\%), so the map shows most"
        in said("trajectories", paths(best))[1]
    )
    assert "out of the map's sight" in said("trajectories", paths(best, shares=(0.2, 0.1)))[1]


def test_a_speed_that_is_the_theorys_is_told_from_one_that_is_not():
    best = {("network", "sgd"): 1, ("beale", "sgd"): 1}
    text = said("trajectories", paths(best, factors=(0.51, 0.5)))[1]
    assert r"by $0.51$ with momentum (theory: $0.5$): all within 10\% of the theory's speed." in text
    text = said("trajectories", paths(best, factors=(0.8, 0.5)))[1]
    assert r"by $0.8$ with momentum (theory: $0.5$); momentum is not within 10\% of the theory's speed." in text


def test_adamws_weight_decay_is_told_where_it_is_one_of_the_optimizers():
    best = {("network", "sgd"): 1, ("beale", "sgd"): 1}
    assert "AdamW with a weight decay of $0.01$" in said("trajectories", paths(best), optimizers=["sgd", "adamw"])[0]
    assert "AdamW" not in said("trajectories", paths(best))[0]


def suggested(sgd: list[float], adam: list[float], breakouts: list[float]) -> dict[str, pd.DataFrame]:
    columns = ["optimizer", "seed", "steepest", "breakout"]
    values = [
        (name, seed, steep, out)
        for name, steeps in (("sgd", sgd), ("adam", adam))
        for seed, (steep, out) in enumerate(zip(steeps, breakouts, strict=True))
    ]
    return {"suggestions": rows(columns, *values)}


def test_the_suggested_rates_are_geometric_means_with_the_seeds_range():
    measured, text = said("range_test", suggested([0.01, 0.1, 1.0], [2e-3] * 3, [1.0, 2.0, 4.0]))
    assert r"at each of 100 steps from $1\times10^{-6}$ to $10$; a test ends early" in measured
    assert "at a rate of $0.1$ ($0.01$ to $1$) with SGD and $0.002$ with Adam" in text
    assert "differ by a factor of up to $50$, no more than the seeds of one" in text
    assert (
        r"The loss is 10\% above its least at a rate of $2$ ($1$ to $4$) with SGD and $2$ ($1$ to $4$) with Adam."
        in text
    )


def test_optimizers_that_differ_by_more_than_seeds_do_are_said_to():
    text = said("range_test", suggested([0.1, 0.1, 0.2], [1e-3] * 3, [1.0] * 3))[1]
    assert "more than the seeds of one, which differ by up to $2$." in text
    assert "no more than" not in text


def test_a_loss_that_does_not_break_out_is_said_not_to():
    text = said("range_test", suggested([0.1] * 3, [0.01] * 3, [1.0, 1.0, np.nan]))[1]
    assert "with SGD and Adam it never does in some seed, up to the last rate." in text
    text = said("range_test", suggested([0.1] * 3, [0.01] * 3, [np.nan] * 3))[1]
    assert r"The loss never rises 10\% above its least, up to the last rate." in text


def test_few_seeds_give_no_verdict_and_nothing_finite_no_finding():
    text = said("range_test", suggested([0.1, 0.2], [0.01, 0.01], [1.0, 1.0]), seeds=[0, 1])[1]
    assert "differ by a factor" not in text
    assert text.endswith(TOO_FEW)
    assert said("range_test", suggested([np.nan] * 3, [np.nan] * 3, [np.nan] * 3))[1] == NOTHING
