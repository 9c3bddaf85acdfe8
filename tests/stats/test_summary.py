from phase2.stats import analyse
from phase2.stats.summary import summary
from phase2.study.score import Score, card_of_score

FACTORS = ["activation", "init", "schedule"]
ACCURACY = Score.of(card_of_score("images"), classes=10)


def test_the_summary_repeats_the_tables(make_cells):
    cells = make_cells()
    tables = {"cells": cells} | analyse(cells, FACTORS, ACCURACY)
    told = summary(tables, FACTORS)
    first = tables["ranking"].query("measure == 'test_accuracy' and rank == 1").iloc[0]
    assert told["cells"] == len(cells)
    assert told["diverged"] == 0
    assert told["best"]["activation"] == first["activation"]
    assert told["best"]["mean"] == round(first["mean"], 4)
    assert abs(sum(told["variance_share"].values()) - 1) < 1e-3


def test_diverged_cells_are_counted(make_cells):
    cells = make_cells()
    cells.loc[:4, ["status", "test_accuracy", "curve_area"]] = ["diverged", None, None]
    tables = {"cells": cells} | analyse(cells, FACTORS, ACCURACY)
    assert summary(tables, FACTORS)["diverged"] == 5


def test_a_single_seed_has_a_mean_and_no_interval(make_cells):
    cells = make_cells().query("seed == 0")
    told = summary({"cells": cells} | analyse(cells, FACTORS, ACCURACY), FACTORS)
    assert "mean" in told["best"]
    assert not {"low", "high"} & told["best"].keys()
