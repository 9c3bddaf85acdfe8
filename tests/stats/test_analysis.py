import numpy as np
import pytest

from phase2.errors import UserError
from phase2.stats import analyse
from phase2.stats.divergence import divergence
from phase2.stats.score import scored
from phase2.study.score import Score, card_of_score
from phase2.study.tables import read_table

FACTORS = ["activation", "init", "schedule"]
ACCURACY = Score.of(card_of_score("images"), classes=10)
ERROR = Score("error", "error", unit="", better="lower", chance=0.9, loss_unit="nats")
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
    tables = analyse(make_cells(), FACTORS, ACCURACY)
    assert {name: sorted(tables[name].columns) for name in COLUMNS} == {
        name: sorted(columns) for name, columns in COLUMNS.items()
    }


def test_tables_do_not_depend_on_the_order_of_rows_beyond_level_order(make_cells):
    cells = make_cells()
    shuffled = cells.sample(frac=1, random_state=3)
    first = analyse(cells, FACTORS, ACCURACY)["ranking"].set_index(["measure", *FACTORS])["mean"]
    second = analyse(shuffled, FACTORS, ACCURACY)["ranking"].set_index(["measure", *FACTORS])["mean"]
    np.testing.assert_allclose(second.loc[first.index], first)


def test_seed_among_the_factors_is_still_the_block(make_cells):
    cells = make_cells()
    with_seed = analyse(cells, [*FACTORS, "seed"], ACCURACY)
    assert with_seed["variance"].equals(analyse(cells, FACTORS, ACCURACY)["variance"])


def test_a_diverged_cell_scores_at_chance(make_cells):
    cells = diverge(make_cells(), [0])
    assert scored(cells, "test_accuracy", 0.25)[0] == 0.25


def test_a_diverged_cell_scores_at_chance_even_if_its_curve_has_an_area(make_cells):
    cells = diverge(make_cells(), [0])
    cells.loc[0, "curve_area"] = 0.6
    assert scored(cells, "curve_area", 0.1)[0] == 0.1


def test_ranking_puts_the_best_mean_first_and_tests_the_rest_against_it(make_cells):
    table = analyse(make_cells(), FACTORS, ACCURACY)["ranking"].query("measure == 'test_accuracy'")
    assert table["mean"].is_monotonic_decreasing
    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    np.testing.assert_allclose(table["behind"][1:], table["mean"].iloc[0] - table["mean"][1:])
    assert table["p_best"][1:].between(0, 1).all()


def test_equal_means_share_a_rank(make_cells):
    cells = diverge(make_cells(), slice(None))
    assert set(analyse(cells, FACTORS, ACCURACY)["ranking"]["rank"]) == {1}


@pytest.mark.parametrize("options", [{"seeds": 2}, {"seeds": 1}, {"shape": (3, 1, 1)}, {"shape": (1, 1, 1)}])
def test_small_designs_are_analysed(make_cells, options):
    tables = analyse(make_cells(**options), FACTORS, ACCURACY)
    assert tables["ranking"]["mean"].notna().all()


def test_a_level_that_always_diverges_is_counted_and_ranked_last(make_cells):
    cells = make_cells()
    cells = diverge(cells, cells["activation"] == "a1")
    tables = analyse(cells, FACTORS, ACCURACY)
    lost = tables["divergence"].query("activation == 'a1'")
    assert (lost["diverged"] == lost["cells"]).all()
    assert (lost["median_step"] == 7).all()
    assert tables["levels"].query("factor == 'activation'").sort_values("mean")["level"].iloc[0] == "a1"


def test_a_cell_at_chance_is_stuck_and_a_diverged_one_is_not(make_cells):
    cells = diverge(make_cells(seeds=2), [0])
    cells.loc[1, "test_accuracy"] = 0.119
    row = divergence(cells, FACTORS, ACCURACY).iloc[0]
    assert (row["cells"], row["diverged"], row["stuck"]) == (2, 1, 1)


def test_missing_cells_are_counted_with_the_fix(make_cells):
    with pytest.raises(UserError, match=r"2 of 48 cells.*run the missing cells"):
        analyse(make_cells().iloc[2:], FACTORS, ACCURACY)


def test_repeated_and_absent_cells_are_errors(make_cells):
    cells = make_cells()
    with pytest.raises(UserError, match="1 cells repeat"):
        analyse(cells.iloc[[0, *range(len(cells))]], FACTORS, ACCURACY)
    with pytest.raises(UserError, match="no cells"):
        analyse(cells.iloc[:0], FACTORS, ACCURACY)


def as_error(cells):
    """The same cells, judged by what their accuracies lack to the whole."""
    return cells.assign(test_error=1 - cells["test_accuracy"], curve_area=1 - cells["curve_area"])


def test_where_less_is_better_the_least_mean_ranks_first_and_the_others_are_behind_by_what_they_are_above(make_cells):
    cells = diverge(make_cells(), [0, 5, 17])
    right = analyse(cells, FACTORS, ACCURACY)["ranking"].query("measure == 'test_accuracy'")
    wrong = analyse(as_error(cells), FACTORS, ERROR)["ranking"].query("measure == 'test_error'")
    assert wrong["mean"].is_monotonic_increasing
    assert (wrong[[*FACTORS, "rank"]].to_numpy() == right[[*FACTORS, "rank"]].to_numpy()).all()
    np.testing.assert_allclose(wrong["mean"], 1 - right["mean"])
    np.testing.assert_allclose(wrong["behind"], right["behind"])
    assert (wrong["behind"][1:] >= 0).all()


def test_where_less_is_better_what_is_hardly_below_chance_is_stuck(make_cells):
    cells = diverge(make_cells(seeds=4), [0])
    cells.loc[1:3, "test_accuracy"] = [0.119, 0.05, 0.13]
    row = divergence(as_error(cells), FACTORS, ERROR).iloc[0]
    assert (row["cells"], row["diverged"], row["stuck"]) == (4, 1, 2)


def test_the_score_is_a_table_that_reads_back_as_it_was(make_cells, tmp_path):
    table = analyse(as_error(make_cells()), FACTORS, ERROR)["score"]
    table.to_csv(tmp_path / "score.csv", index=False)
    assert Score.read(read_table(tmp_path / "score.csv")) == ERROR


@pytest.mark.parametrize(
    ("shown", "text"), [(0.12345, "0.123"), (65.31, "65.3"), (1234.5, "1234"), (0.0001234, "0.000123"), (0.0, "0.0")]
)
def test_a_score_that_is_no_share_has_three_digits_that_count(shown, text):
    assert ERROR.number(shown) == text
