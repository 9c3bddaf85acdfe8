import numpy as np
import pandas as pd
import pytest

from phase2.errors import UserError
from phase2.stats import analyse
from phase2.stats.design import finished
from phase2.stats.divergence import divergence
from phase2.study.score import Score, card_of_score
from phase2.study.tables import read_table

FACTORS = ["activation", "init", "schedule"]
ACCURACY = Score.of(card_of_score("images"), classes=10)
ERROR = Score("error", "error", unit="", better="lower", chance=0.9, loss_unit="nats")
OVER_SEEDS = ["mean", "low", "high", "least", "most", "n", "failed"]
TESTED = ["p_t", "p_holm", "effect", "n", "failed_a", "failed_b"]
FRACTIONS = ["diverged_fraction", "stuck_fraction"]
BEHIND = ["behind", "behind_low", "behind_high", "may_be_best"]
COLUMNS = {
    "ranking": ["measure", "rank", *FACTORS, *OVER_SEEDS, *BEHIND],
    "levels": ["measure", "factor", "level", *OVER_SEEDS],
    "pairs": ["measure", "factor", "a", "b", "difference", "low", "high", "least", "most", *TESTED],
    "variance": ["measure", "term", "df", "share", "omega2", "F", "p", "n", "failed"],
    "divergence": [*FACTORS, "cells", "diverged", "stuck", *FRACTIONS, "first_step", "median_step"],
    "chosen": [*FACTORS, "val_mean", "test_mean", "low", "high", "least", "most", "n", "failed"],
    "score": ["metric", "label", "unit", "better", "chance", "loss_unit"],
}


class Read:
    """A test score that can only be read, and notes that it was; whoever calculates with it fails."""

    def __init__(self, value, reads):
        self.value, self.reads = value, reads

    def __float__(self):
        self.reads.append(self)
        return self.value


def of(tables, name, measure="val_accuracy"):
    return tables[name][tables[name].measure == measure].reset_index(drop=True)


def test_every_table_has_its_documented_columns(make_cells):
    tables = analyse(make_cells(), FACTORS, ACCURACY)
    assert {name: list(table.columns) for name, table in tables.items()} == COLUMNS


def test_only_the_test_scores_of_what_validation_chose_are_read_and_once(make_cells):
    cells, reads = make_cells(seeds=5), []
    cells["test_accuracy"] = [Read(value, reads) for value in cells.test_accuracy]
    best = cells[FACTORS] == list(cells.groupby(FACTORS).val_accuracy.mean().idxmax())
    chosen = analyse(cells, FACTORS, ACCURACY)["chosen"].iloc[0]
    assert reads == cells.test_accuracy[best.all(axis=1)].tolist()
    assert chosen.test_mean == pytest.approx(np.mean([each.value for each in reads]))
    assert (chosen.n, chosen.failed) == (5, 0)


def test_the_test_scores_of_others_change_nothing(make_cells):
    cells = make_cells(seeds=5)
    first = analyse(cells, FACTORS, ACCURACY)
    chosen = (cells[FACTORS] == first["chosen"].loc[0, FACTORS]).all(axis=1)
    second = analyse(cells.assign(test_accuracy=cells.test_accuracy.where(chosen, 1.0)), FACTORS, ACCURACY)
    for name, table in first.items():
        pd.testing.assert_frame_equal(table, second[name])


def test_a_combination_that_ever_failed_is_not_chosen_before_one_that_never_did(make_cells, diverge):
    cells = make_cells(seeds=5)
    best = analyse(cells, FACTORS, ACCURACY)["chosen"].loc[0, FACTORS]
    failed = cells.index[(cells[FACTORS] == best).all(axis=1)][0]
    after = analyse(diverge(cells, [failed]), FACTORS, ACCURACY)
    assert after["chosen"].loc[0, FACTORS].tolist() != best.tolist()
    last = of(after, "ranking").iloc[-1]
    assert (last[FACTORS].tolist(), last.n, last.failed) == (best.tolist(), 4, 1)


def test_where_every_combination_fails_one_that_fails_least_is_chosen(make_cells, diverge):
    cells = make_cells(shape=(2,), seeds=5)
    cells = diverge(cells, cells.seed.lt(2) & cells.activation.eq("a0") | cells.seed.lt(1))
    chosen = analyse(cells, ["activation"], ACCURACY)["chosen"].iloc[0]
    assert (chosen.activation, chosen.n, chosen.failed) == ("a1", 4, 1)


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


def test_a_run_that_diverged_has_no_score_even_if_its_curve_has_an_area(make_cells, diverge):
    cells = diverge(make_cells(), [0])
    cells.loc[0, "curve_area"] = 0.6
    cells.loc[1, "curve_area"] = np.inf
    assert finished(cells, "curve_area").isna().tolist()[:3] == [True, True, False]


def test_means_are_of_the_seeds_that_finished_and_never_of_a_guess(make_cells, diverge):
    cells = make_cells(seeds=6)
    tables = analyse(diverge(cells, [0, 3]), FACTORS, ACCURACY)
    row = of(tables, "ranking").query("failed > 0").iloc[0]
    assert row["mean"] == pytest.approx(cells.val_accuracy[[1, 2, 4, 5]].mean())
    assert (row.n, row.failed) == (4, 2)
    level = of(tables, "levels").query("level == 'a0'").iloc[0]
    assert (level.n, level.failed) == (6, 2)
    assert level.least > 0.5


def test_ranking_puts_the_best_mean_first_and_compares_all_with_the_best(make_cells):
    table = of(analyse(make_cells(seeds=6), FACTORS, ACCURACY), "ranking")
    assert table["mean"].is_monotonic_decreasing
    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    np.testing.assert_allclose(table["behind"][1:], table["mean"].iloc[0] - table["mean"][1:])
    assert table["behind"][0] == pytest.approx(table["mean"][1] - table["mean"][0])
    assert table["may_be_best"][0]
    assert not table["may_be_best"].iloc[-1]


def test_equal_means_share_a_rank(make_cells, diverge):
    cells = diverge(make_cells(), slice(None))
    assert set(analyse(cells, FACTORS, ACCURACY)["ranking"]["rank"]) == {1}


@pytest.mark.parametrize("options", [{"seeds": 2}, {"seeds": 1}, {"shape": (3, 1, 1)}, {"shape": (1, 1, 1)}])
def test_small_designs_are_analysed(make_cells, options):
    tables = analyse(make_cells(**options), FACTORS, ACCURACY)
    assert tables["ranking"]["mean"].notna().all()
    assert tables["chosen"].test_mean.notna().all()


def test_a_level_that_always_diverges_is_counted_ranked_last_and_compared_with_none(make_cells, diverge):
    cells = make_cells(seeds=5)
    cells = diverge(cells, cells["activation"] == "a1")
    tables = analyse(cells, FACTORS, ACCURACY)
    lost = tables["divergence"].query("activation == 'a1'")
    assert (lost["diverged"] == lost["cells"]).all()
    assert (lost["median_step"] == 7).all()
    assert set(of(tables, "ranking").activation[-4:]) == {"a1"}
    level = of(tables, "levels").query("level == 'a1'").iloc[0]
    assert (np.isnan(level["mean"]), level.n, level.failed) == (True, 0, 20)
    pairs = of(tables, "pairs").query("factor == 'activation' and (a == 'a1' or b == 'a1')")
    assert (pairs.n == 0).all()
    assert pairs[["difference", "p_t", "p_holm"]].isna().all(axis=None)


def test_a_cell_at_chance_is_stuck_and_a_diverged_one_is_not(make_cells, diverge):
    cells = diverge(make_cells(seeds=2), [0])
    cells.loc[1, "val_accuracy"] = 0.119
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
    turned = {f"{part}_error": 1 - cells[f"{part}_accuracy"] for part in ("val", "test")}
    return cells.assign(**turned, curve_area=1 - cells["curve_area"])


def test_where_less_is_better_all_is_told_as_where_more_is(make_cells, diverge):
    cells = diverge(make_cells(seeds=6), [0, 5, 17])
    right, wrong = (analyse(table, FACTORS, score) for table, score in ((cells, ACCURACY), (as_error(cells), ERROR)))
    right, wrong = of(right, "ranking"), of(wrong, "ranking", "val_error")
    whole = wrong[wrong.failed == 0]
    assert whole["mean"].is_monotonic_increasing
    assert (wrong[[*FACTORS, "rank"]].to_numpy() == right[[*FACTORS, "rank"]].to_numpy()).all()
    np.testing.assert_allclose(wrong["mean"], 1 - right["mean"])
    for name in BEHIND:
        np.testing.assert_allclose(wrong[name].astype(float), right[name].astype(float), atol=1e-12)
    assert (whole["behind"][1:] >= 0).all()


def test_where_less_is_better_what_is_hardly_below_chance_is_stuck(make_cells, diverge):
    cells = diverge(make_cells(seeds=4), [0])
    cells.loc[1:3, "val_accuracy"] = [0.119, 0.05, 0.13]
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


def test_a_study_of_seeds_alone_is_analysed():
    cells = pd.DataFrame({"seed": range(5), "status": "ok", "diverged_step": np.nan})
    cells = cells.assign(val_accuracy=np.linspace(0.8, 0.9, 5), test_accuracy=0.85, curve_area=0.7)
    score = Score("accuracy", "accuracy", "%", "higher", 0.1, "nats")
    tables = analyse(cells, [], score)
    assert tables["levels"].empty
    assert tables["pairs"].empty
    assert tables["ranking"]["mean"].tolist() == pytest.approx([0.85, 0.7])
    assert tables["chosen"]["test_mean"].item() == pytest.approx(0.85)
