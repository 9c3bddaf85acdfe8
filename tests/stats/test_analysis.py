import numpy as np
import pytest

from phase2.errors import UserError
from phase2.stats import analyse
from phase2.stats.divergence import divergence
from phase2.stats.score import score

FACTORS = ["activation", "init", "schedule"]
COLUMNS = {
    "ranking": [
        *FACTORS,
        "measure",
        "rank",
        "mean",
        "low",
        "high",
        "n",
        "behind",
        "behind_low",
        "behind_high",
        "p_best",
    ],
    "levels": ["measure", "factor", "level", "mean", "low", "high", "n"],
    "pairs": [
        "measure",
        "factor",
        "a",
        "b",
        "difference",
        "low",
        "high",
        "p_t",
        "p_holm",
        "p_signflip",
        "effect",
        "n",
    ],
    "variance": ["measure", "term", "df", "share", "low", "high", "omega2", "F", "p"],
}


def diverge(cells, rows):
    cells.loc[rows, ["test_accuracy", "curve_area"]] = np.nan
    cells.loc[rows, "status"] = "diverged"
    cells.loc[rows, "diverged_step"] = 7
    return cells


def test_every_table_has_its_documented_columns(make_cells):
    tables = analyse(make_cells(), FACTORS, classes=10)
    assert {name: sorted(tables[name].columns) for name in COLUMNS} == {
        name: sorted(columns) for name, columns in COLUMNS.items()
    }


def test_tables_do_not_depend_on_the_order_of_rows_beyond_level_order(make_cells):
    cells = make_cells()
    shuffled = cells.sample(frac=1, random_state=3)
    first = analyse(cells, FACTORS, 10)["ranking"].set_index(["measure", *FACTORS])["mean"]
    second = analyse(shuffled, FACTORS, 10)["ranking"].set_index(["measure", *FACTORS])["mean"]
    np.testing.assert_allclose(second.loc[first.index], first)


def test_seed_among_the_factors_is_still_the_block(make_cells):
    cells = make_cells()
    assert analyse(cells, [*FACTORS, "seed"], 10)["variance"].equals(analyse(cells, FACTORS, 10)["variance"])


def test_a_diverged_cell_scores_at_chance(make_cells):
    cells = diverge(make_cells(), [0])
    assert score(cells, "test_accuracy", classes=4)[0] == 0.25


def test_a_diverged_cell_scores_at_chance_even_if_its_curve_has_an_area(make_cells):
    cells = diverge(make_cells(), [0])
    cells.loc[0, "curve_area"] = 0.6
    assert score(cells, "curve_area", classes=10)[0] == 0.1


def test_ranking_puts_the_best_mean_first_and_tests_the_rest_against_it(make_cells):
    table = analyse(make_cells(), FACTORS, 10)["ranking"].query("measure == 'test_accuracy'")
    assert table["mean"].is_monotonic_decreasing
    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    np.testing.assert_allclose(table["behind"][1:], table["mean"].iloc[0] - table["mean"][1:])
    assert table["p_best"][1:].between(0, 1).all()


def test_equal_means_share_a_rank(make_cells):
    cells = diverge(make_cells(), slice(None))
    assert set(analyse(cells, FACTORS, 10)["ranking"]["rank"]) == {1}


@pytest.mark.parametrize("options", [{"seeds": 2}, {"seeds": 1}, {"shape": (3, 1, 1)}, {"shape": (1, 1, 1)}])
def test_small_designs_are_analysed(make_cells, options):
    tables = analyse(make_cells(**options), FACTORS, 10)
    assert tables["ranking"]["mean"].notna().all()


def test_a_level_that_always_diverges_is_counted_and_ranked_last(make_cells):
    cells = make_cells()
    cells = diverge(cells, cells["activation"] == "a1")
    tables = analyse(cells, FACTORS, 10)
    lost = tables["divergence"].query("activation == 'a1'")
    assert (lost["diverged"] == lost["cells"]).all()
    assert (lost["median_step"] == 7).all()
    assert tables["levels"].query("factor == 'activation'").sort_values("mean")["level"].iloc[0] == "a1"


def test_a_cell_at_chance_is_stuck_and_a_diverged_one_is_not(make_cells):
    cells = diverge(make_cells(seeds=2), [0])
    cells.loc[1, "test_accuracy"] = 0.119
    row = divergence(cells, FACTORS, classes=10).iloc[0]
    assert (row["cells"], row["diverged"], row["stuck"]) == (2, 1, 1)


def test_missing_cells_are_counted_with_the_fix(make_cells):
    with pytest.raises(UserError, match=r"2 of 48 cells.*run the missing cells"):
        analyse(make_cells().iloc[2:], FACTORS, 10)


def test_repeated_and_absent_cells_are_errors(make_cells):
    cells = make_cells()
    with pytest.raises(UserError, match="1 cells repeat"):
        analyse(cells.iloc[[0, *range(len(cells))]], FACTORS, 10)
    with pytest.raises(UserError, match="no cells"):
        analyse(cells.iloc[:0], FACTORS, 10)
