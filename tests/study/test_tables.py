"""Cells' files, checked as they are read, and the tidy tables made of them."""

import csv
import json
from pathlib import Path

import pytest
from studies import STUDY, cells, run

from phase2 import registry
from phase2.data.prepared import open_prepared
from phase2.errors import UserError
from phase2.study.pack import Folders
from phase2.study.results import history_columns, read_metrics, write_history, write_metrics
from phase2.study.tables import gather, read_table, schedule_table

EXPLODED = {"axes": {"lr": [1e30, 2e30], "seed": [0]}}

COLUMNS = history_columns(["accuracy"])


def metrics_path(folders: Folders, **changes: object) -> Path:
    cell = cells(**changes)[0]
    return folders.results / "cells/grid" / cell.partition / "metrics.json"


DAMAGE = {
    "cut": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
    "another kind": lambda text: "[1, 2]",
    "without an id": lambda text: "{}",
    "not text": lambda text: b"\xff\xfe\x00",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damaged_metrics_are_named_with_the_way_out(damage, folders: Folders):
    run(folders)
    path = metrics_path(folders)
    content = damage(path.read_text())
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=rf"{path} is not a cell's metrics .*: run `snakemake`, which restores it"):
        gather(cells(), folders.results)
    path.unlink()
    with pytest.raises(UserError, match=rf"{path} is missing: run `snakemake`, which"):
        read_metrics(cells()[0], folders.results)


def test_metrics_of_another_cell_are_named(folders: Folders):
    run(folders)
    path = metrics_path(folders)
    other = cells()[1].id
    write_metrics(path, json.loads(path.read_text()) | {"id": other})
    with pytest.raises(UserError, match=rf"{path} belongs to cell {other}, expected {cells()[0].id} of this"):
        gather(cells(), folders.results)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: text.index("\n") + 8],
        lambda text: text[:-20],
        lambda text: text[: text.rindex("2,10,val")],
        lambda text: text.replace("accuracy", "precision"),
        lambda text: text.replace(",train,", ",tr\0in,").replace("0.", "zero"),
    ],
    ids=["empty", "cut in a row", "cut at the end", "without a row", "other columns", "no numbers"],
)
def test_a_damaged_history_is_named_with_the_way_out(damage, folders: Folders):
    run(folders)
    path = metrics_path(folders).with_name("history.csv")
    path.write_text(damage(path.read_text()))
    with pytest.raises(UserError, match=rf"{path.parent}: history.csv is not as it was written. Run `snakemake`"):
        gather(cells(), folders.results)


def test_cells_of_other_data_or_code_are_not_gathered(folders: Folders):
    run(folders)
    gather(cells(), folders.results, open_prepared(folders.prepared).hash)
    with pytest.raises(UserError, match=r"cells trained with other data\. Run `snakemake`, which restores"):
        gather(cells(), folders.results, "0" * 64)
    path = metrics_path(folders)
    metrics = json.loads(path.read_text())
    write_metrics(path, metrics | {"provenance": metrics["provenance"] | {"code": "0" * 12}})
    with pytest.raises(UserError, match=r"cells trained with other code"):
        gather(cells(), folders.results)


@pytest.mark.parametrize("name", ["metrics.json", "history.csv"])
def test_an_edited_number_is_not_gathered(name: str, folders: Folders):
    run(folders)
    path = metrics_path(folders).with_name(name)
    text = path.read_text()
    place = text.rindex("0.")
    path.write_text(text[:place] + "9." + text[place + 2 :])
    with pytest.raises(UserError, match=rf"{name}.* not as it was written"):
        gather(cells(), folders.results)


def test_a_row_a_cell_and_a_row_a_cell_epoch_and_split(folders: Folders):
    run(folders)
    table, curves = gather(cells(), folders.results)
    assert table["id"].tolist() == [cell.id for cell in cells()]
    assert table[["seed", "init", "schedule"]].apply(tuple, axis=1).tolist() == [
        (0, init, schedule) for init in ("kaiming", "xavier") for schedule in ("constant", "cosine")
    ]
    assert set(table["status"]) == {"ok"}
    assert table["diverged_step"].isna().all()
    assert list(curves.columns) == ["id", "seed", "init", "schedule", *COLUMNS]
    assert len(curves) == 4 * 2 * 2
    assert not curves.isna().any(axis=None)
    assert {str(curves[name].dtype) for name in ("epoch", "step", "seed")} == {"int64"}


def test_the_table_has_the_metrics_and_their_provenance(folders: Folders):
    run(folders)
    table, curves = gather(cells(), folders.results)
    for cell, (_, row) in zip(cells(), table.iterrows(), strict=True):
        metrics = read_metrics(cell, folders.results)
        assert {name: row[name] for name in metrics["final"]} == metrics["final"]
        assert row["best_test_accuracy"] == metrics["best"]["test_accuracy"]
        assert row["best_epoch"] == metrics["best"]["epoch"]
        assert row["seconds"] == metrics["seconds"]
        assert (row["code"], row["data"]) == (metrics["provenance"]["code"], metrics["provenance"]["data"])
        val = curves[(curves["id"] == cell.id) & (curves["split"] == "val")]
        assert row["curve_area"] == pytest.approx(val["accuracy"].mean())


def test_a_diverged_cell_has_its_step_and_no_metrics(folders: Folders):
    changes = {"axes": {"lr": [0.05, 1e30], "seed": [0]}}
    run(folders, **changes)
    table, curves = gather(cells(**changes), folders.results)
    assert table["status"].tolist() == ["ok", "diverged"]
    assert table["diverged_step"].tolist()[1] == 1
    assert table.loc[1, ["test_accuracy", "best_epoch", "curve_area"]].isna().all()
    assert curves["id"].unique().tolist() == [cells(**changes)[0].id]


def test_tables_of_cells_that_all_diverged_have_their_columns(folders: Folders):
    run(folders, **EXPLODED)
    table, curves = gather(cells(**EXPLODED), folders.results)
    assert table["status"].tolist() == ["diverged", "diverged"]
    assert len(curves) == 0
    assert {"id", "seed", "lr", *COLUMNS} == set(curves.columns)


def test_an_axis_keeps_its_name_and_value_in_the_curves(folders: Folders):
    """The learning rate as an axis is the cell's; as a column of the history it is that of the step."""
    changes = {"schedule": "cosine", "axes": {"lr": [0.05, 0.01], "seed": [0]}}
    run(folders, **changes)
    _, curves = gather(cells(**changes), folders.results)
    assert curves.columns.is_unique
    assert curves.groupby("id")["lr"].unique().map(list).tolist() in ([[0.05], [0.01]], [[0.01], [0.05]])


def test_tables_survive_the_way_through_csv(folders: Folders, tmp_path: Path):
    run(folders)
    table, _ = gather(cells(), folders.results)
    table.assign(id=["123456789012", "1e1234567890", "000000000000", "abcdefabcdef"], init="none").to_csv(
        tmp_path / "cells.csv", index=False
    )
    back = read_table(tmp_path / "cells.csv")
    assert back["id"].tolist() == ["123456789012", "1e1234567890", "000000000000", "abcdefabcdef"]
    assert back["init"].tolist() == ["none"] * 4
    assert back["test_loss"].tolist() == table["test_loss"].tolist()
    with pytest.raises(UserError, match=r"none\.csv is missing: run `snakemake`"):
        read_table(tmp_path / "none.csv")


def test_schedules_are_tabulated_from_their_functions():
    names = ["constant", "one_cycle"]
    table = schedule_table(cells(axes=STUDY["axes"] | {"schedule": names}), 10)
    assert table["schedule"].unique().tolist() == names
    for name in names:
        rows = table[table["schedule"] == name]
        assert rows["step"].tolist() == list(range(1, 11))
        assert rows["lr"].tolist() == [registry.load("schedule", name)(step, 10, 0.05) for step in range(10)]


def test_a_history_keeps_every_bit(tmp_path: Path):
    row = {name: 0.1 + 0.2 for name in COLUMNS}
    write_history(tmp_path / "history.csv", ["accuracy"], [row])
    (back,) = csv.DictReader((tmp_path / "history.csv").read_text().splitlines())
    assert {name: float(value) for name, value in back.items()} == row
