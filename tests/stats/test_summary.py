from phase2.stats import analyse
from phase2.stats.summary import summary
from phase2.study.score import Score, card_of_score

FACTORS = ["activation", "init", "schedule"]
ACCURACY = Score.of(card_of_score("images"), classes=10)


def test_the_summary_repeats_the_tables(make_cells):
    cells = make_cells(seeds=5)
    tables = {"cells": cells} | analyse(cells, FACTORS, ACCURACY)
    told, chosen = summary(tables, FACTORS), tables["chosen"].iloc[0]
    assert (told["cells"], told["diverged"]) == (len(cells), 0)
    assert told["chosen"]["activation"] == chosen["activation"]
    for name in ("val_mean", "test_mean", "low", "high"):
        assert told["chosen"][name] == float(f"{chosen[name]:.4g}")
    assert abs(sum(told["variance_share"].values()) - 1) < 1e-3


def test_diverged_cells_are_counted(make_cells, diverge):
    cells = diverge(make_cells(), slice(0, 4))
    tables = {"cells": cells} | analyse(cells, FACTORS, ACCURACY)
    assert summary(tables, FACTORS)["diverged"] == 5


def test_a_single_seed_has_means_and_neither_intervals_nor_shares(make_cells):
    cells = make_cells().query("seed == 0")
    told = summary({"cells": cells} | analyse(cells, FACTORS, ACCURACY), FACTORS)
    assert told["chosen"].keys() == {*FACTORS, "val_mean", "test_mean"}
    assert told["variance_share"] == {}
