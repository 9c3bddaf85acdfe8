"""From a statement of the report back to its cells."""

from pathlib import Path

import pytest
from finished_run import DATASETS, SMOKE, make_cells, write_run

from phase2.errors import UserError
from phase2.report.build import write_sources
from phase2.report.trace import cells_behind, describe, load_trace


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "desk"
    config = write_run(folder, SMOKE, make_cells(SMOKE), figures=["ranking"])
    write_sources(folder, folder / "report", config, DATASETS)
    return folder


def test_a_statement_is_traced_to_cells_seeds_commit_code_and_data(run: Path):
    text = describe(run, "mlp_grid/figures/ranking")
    assert "figure mlp_grid/figures/ranking = figures/mlp_grid/ranking.pdf" in text
    assert f"cells     {2**4} (" in text
    assert "seeds     0 1" in text
    for value in ("4b" * 20, "c0de" * 16, "9f" * 32, "torch 2.14.1"):
        assert value in text


def test_a_name_without_its_study_finds_the_figure_and_the_table(run: Path):
    text = describe(run, "ranking")
    assert "figure mlp_grid/figures/ranking" in text
    assert "table mlp_grid/ranking" in text


def test_a_selection_picks_its_cells(run: Path):
    statement = {"study": "mlp_grid", "selection": {"activation": "relu", "seed": [0, 1]}}
    cells = cells_behind(run, statement)
    assert len(cells) == 8
    assert set(cells["activation"]) == {"relu"}


def test_every_selection_of_the_report_picks_some_cells(run: Path):
    statements = [s for s in load_trace(run).values() if s["study"]]
    assert statements
    assert all(len(cells_behind(run, statement)) for statement in statements)


def test_a_macro_may_be_written_as_latex_writes_it(run: Path):
    name = next(key for key, statement in load_trace(run).items() if statement["kind"] == "macro")
    assert describe(run, f"\\{name}") == describe(run, name)


def test_an_unknown_name_gets_the_nearest(run: Path):
    with pytest.raises(UserError, match=r"unknown figure, table or macro 'mlp_grid/figures/rankng'.*did you mean"):
        describe(run, "mlp_grid/figures/rankng")


def test_a_run_without_a_report_names_those_that_have_one(run: Path):
    with pytest.raises(UserError, match=r"run `snakemake report` first. Runs with a report: desk"):
        load_trace(run.parent / "smoke")
