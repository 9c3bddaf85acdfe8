"""The data dictionary has the columns that a study's tables have, and none besides."""

from typing import Any

import pytest
from studies import cells, run, study_of
from study_fixtures import folders, prepared_folder  # noqa: F401

from phase2.figures.catalog import OF_STUDIES
from phase2.stats.analysis import analyse
from phase2.stats.columns import columns
from phase2.study.pack import Folders
from phase2.study.score import Score, card_of_score
from phase2.study.tables import gather, schedule_table

GRIDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "a rate that diverges": {"axes": {"lr": [0.05, 1e30], "seed": [0, 1]}},
    "one setting": {"axes": {"width": [6], "seed": [0]}},
}


@pytest.mark.parametrize("changes", GRIDS.values(), ids=GRIDS)
def test_every_column_of_a_study_is_told_and_none_besides(changes: dict[str, Any], folders: Folders):  # noqa: F811
    study = study_of(**changes)
    for seed in study.axes.seed:
        run(folders, **{**changes, "axes": study.axes.model_dump(exclude_none=True) | {"seed": [seed]}})
    table, curves = gather(cells(**changes), folders.results)
    score = Score.of(card_of_score("images"), classes=10)
    written = {"cells": table, "curves": curves, "schedules": schedule_table(cells(**changes), 3)}
    written |= analyse(table, list(study.axes.values()), score)
    told = columns(study)
    assert {*told} == {*written, "baseline"} == {*OF_STUDIES}
    assert {name: set(told[name]) for name in written} == {name: set(table) for name, table in written.items()}


def test_what_a_column_means_is_told_with_its_unit():
    told = columns(study_of(axes={"lr": [0.1], "activation": ["relu"], "seed": [0]}))
    assert told["cells"]["lr"] == "level of the axis learning rate"
    assert told["cells"]["test_accuracy"] == "accuracy (a share of 1), on test at the end"
    assert told["cells"]["val_loss"] == "loss (nats), on val at the end"
    assert told["curves"]["lr"] == told["cells"]["lr"]
    assert all(meaning for table in told.values() for meaning in table.values())
