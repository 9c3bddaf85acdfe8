"""The sentences on the loss landscape: the right numbers, and other sentences for other results."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from said import SEEDS, rows, said

from phase2.report.measured_words import NOTHING, TOO_FEW

DESK = {("none", 2): 4.0, ("none", 20): 100.0, ("batch", 2): 1.0, ("batch", 20): 25.0}


def parabolas(curvatures=DESK, seeds=SEEDS, radius=1.0, points=201) -> pd.DataFrame:
    """Loss 1 + c x² along every line: it has risen by half at sqrt(0.5 / c)."""
    values = [
        (*net, seed, x, 1 + c * x**2, 0.8)
        for (net, c), seed, x in product(curvatures.items(), seeds, np.linspace(-radius, radius, points))
    ]
    return rows(["norm", "depth", "seed", "distance", "loss", "accuracy"], *values)


def arches(heights=DESK, dip=0.5, seeds=SEEDS, ends=(1.0, 1.0)) -> pd.DataFrame:
    """Between solutions the loss is 1 + height, and the accuracy less by `dip`, in the middle."""
    values = [
        (*net, a, a + 1, x, ends[0] + (ends[1] - ends[0]) * x + 4 * h * x * (1 - x), 0.8 - 4 * dip * x * (1 - x))
        for (net, h), a, x in product(heights.items(), seeds[:-1], np.linspace(0, 1, 11))
    ]
    return rows(["norm", "depth", "seed_a", "seed_b", "position", "loss", "accuracy"], *values)


def tables(**changed) -> dict[str, pd.DataFrame]:
    return {"lines": parabolas(), "interpolation": arches(heights=dict.fromkeys(DESK, 1.0))} | changed


def test_what_was_measured_names_the_networks_the_reach_and_the_recalibration():
    measured = said("landscape", tables())[0]
    assert r"12 networks of the study \texttt{norm\_depth}" in measured
    assert "up to $1$ times the norms of their filters" in measured
    assert "Losses are of 500 training images." in measured
    assert "Where a network has BatchNorm, its statistics were recomputed" in measured


def test_the_sharpest_and_the_flattest_networks_and_each_factors_part_are_told():
    text = said("landscape", tables())[1]
    assert "soonest with none, depth 20 at a distance of $0.07 \\pm 0.00$, in every seed" in text
    assert "latest with BatchNorm, depth 2 at a distance of $0.71 \\pm 0.00$, in every seed." in text
    assert "By normalization that distance is $0.21 \\pm 0.00$ with none and $0.42 \\pm 0.00$ with BatchNorm." in text
    assert "By depth that distance is $0.53 \\pm 0.00$ with 2 and $0.11 \\pm 0.00$ with 20." in text
    assert "that is a factor of $5$ for depth and $2$ for normalization." in text
    assert "counts with its end" not in text


def test_the_order_and_the_larger_part_are_those_of_the_numbers():
    flipped = {("none", 2): 1.0, ("none", 20): 4.0, ("batch", 2): 25.0, ("batch", 20): 100.0}
    text = said("landscape", tables(lines=parabolas(flipped)))[1]
    assert "soonest with BatchNorm, depth 20" in text
    assert "latest with none, depth 2" in text
    assert "that is a factor of $5$ for normalization and $2$ for depth." in text


def test_a_line_that_stays_low_counts_with_its_end_and_the_text_says_so():
    text = said("landscape", tables(lines=parabolas(DESK | {("batch", 2): 0.1})))[1]
    assert "latest with BatchNorm, depth 2 at a distance of $1.00 \\pm 0.00$" in text
    assert "A line along which it does not rise so far counts with its end." in text


def test_a_loss_that_is_lost_on_the_way_has_risen_there():
    lines = parabolas({("none", 2): 0.1, ("batch", 2): 0.1}, points=5)
    lines.loc[(lines["norm"] == "none") & (lines["distance"].abs() > 0.6), "loss"] = np.inf
    lines.loc[(lines["norm"] == "none") & (lines["distance"] > 0.6), "loss"] = np.nan
    assert "soonest with none, depth 2 at a distance of $0.50 \\pm 0.00$" in said("landscape", tables(lines=lines))[1]


def test_a_single_combination_has_a_distance_and_nothing_to_compare():
    one = {("none", 2): 2.0}
    text = said("landscape", tables(lines=parabolas(one), interpolation=arches(one)))[1]
    assert text.startswith("Along the random lines the loss has risen by half at a distance of $0.50 \\pm 0.00$.")
    assert "By " not in text
    assert "a factor of" not in text


def test_barriers_are_told_against_the_line_between_the_ends():
    ways = arches({("none", 2): 2.0, ("batch", 2): 0.5}, dip=0.25)
    text = said("landscape", tables(interpolation=ways))[1]
    assert "peaks at between $1.5$ times (BatchNorm, depth 2) and $3$ times (none, depth 2) what" in text
    assert "the error rate 25.0 points above it in the mean over 4 pairs." in text
    assert "No pair is linearly connected" in text


@pytest.mark.parametrize("ends", [(1.0, 1.0), (1.0, 3.0)])
def test_a_slope_between_unequal_ends_is_no_barrier(ends):
    text = said("landscape", tables(interpolation=arches(dict.fromkeys(DESK, 0.0), dip=0.0, ends=ends)))[1]
    assert "and $1$ times" in text
    assert "All pairs are linearly connected: their error rises by less than 2 points" in text


def test_some_connected_pairs_are_counted():
    ways = pd.concat([arches({("none", 2): 1.0}, dip=0.3), arches({("batch", 2): 0.1}, dip=0.01)])
    assert "are 2 of 4 pairs." in said("landscape", tables(interpolation=ways))[1]


def test_one_seed_has_no_pairs_and_no_spread():
    text = said("landscape", tables(lines=parabolas(seeds=[0]), interpolation=arches(seeds=[0])))[1]
    assert "There is no pair of solutions to go between." in text
    assert "in every seed" not in text
    assert text.endswith(TOO_FEW)


def test_a_study_without_other_axes_is_described():
    drop = ["norm", "depth"]
    one = {name: table.drop(columns=drop) for name, table in tables(lines=parabolas({("none", 2): 2.0})).items()}
    one["interpolation"] = arches({("none", 2): 1.0}, seeds=[0, 1]).drop(columns=drop)
    text = said("landscape", one)[1]
    assert "has risen by half at a distance of $0.50" in text
    assert "peaks at $2$ times what the straight line" in text


def test_losses_without_a_finite_number_say_nothing():
    assert said("landscape", tables(lines=parabolas().assign(loss=np.nan)))[1] == NOTHING
