"""From what is printed back to its cells."""

import json
from pathlib import Path

import pytest
from finished_run import CLAIMS, SMOKE, write_report

from phase2.errors import UserError
from phase2.report.trace import FEW, cells_behind, describe, load_trace

LABELS = {
    "report": {"tab:claims:foundations": (1, 1), "tab:studies:foundations": (2, 1), "fig:mlp_grid:ranking": (1, 2)},
    "companion": {"tab:mlp_grid:ranking": (2, 5), "fig:mlp_grid:ranking": (4, 4)},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "desk"
    write_report(folder, SMOKE, figures=["ranking"])
    for document, labels in LABELS.items():
        kept = {label: {"number": str(number), "page": str(page)} for label, (number, page) in labels.items()}
        (folder / "report" / f"{document}.labels.json").write_text(json.dumps(kept))
    return folder


def chosen_score(run: Path) -> str:
    """The test score of what was chosen, as it is printed."""
    return load_trace(run)["mlp_grid/chosen"]["rows"][0][0].split(" | ")[2]


def test_a_number_leads_to_the_runs_of_its_row_their_seeds_commit_code_and_data(run: Path):
    text = describe(run, chosen_score(run))
    assert "table mlp_grid/chosen = tables/mlp_grid/chosen.csv" in text
    assert "study     mlp_grid (activation=" in text
    assert "cells     2 (0 diverged)" in text
    assert "seeds     0 1" in text
    for value in ("4b" * 20, "c0de" * 16, "9f" * 32, "torch 2.14.1"):
        assert value in text
    assert describe(run, f"{chosen_score(run)}%") == text


def test_a_number_of_a_claim_leads_to_the_claim(run: Path):
    text = describe(run, "+1.2")
    assert f"claim {CLAIMS[0]['name']} = supported" in text
    assert "printed   Table 1 of report.pdf, page 1" in text
    assert describe(run, "−0.4") == describe(run, "-0.4")


@pytest.mark.parametrize("part", [".57", "6.5", "1.2 p", "0.0"])
def test_a_part_of_a_number_is_none(run: Path, part: str):
    with pytest.raises(UserError, match="nothing that is printed is"):
        describe(run, part)


def test_a_table_and_a_figure_are_found_by_their_numbers_in_each_pdf(run: Path):
    table, figure = describe(run, "Table 2"), describe(run, "figure 4")
    assert "table studies/foundations" in table
    assert "table mlp_grid/ranking" in table
    assert "printed   Table 2 of companion.pdf, page 5" in table
    assert "about     mlp_grid" in table
    assert figure.startswith("figure mlp_grid/figures/ranking = figures/mlp_grid/ranking.pdf")
    assert "printed   Figure 1 of report.pdf, page 2" in figure


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim["verdict"])
def test_a_claim_is_found_by_its_name(run: Path, claim: dict):
    text = describe(run, claim["name"])
    assert text.startswith(f"claim {claim['name']} = {claim['verdict']}: {claim['sentence']}")
    assert claim["why"] in text
    assert claim["source"] in text
    assert describe(run, claim["name"].replace(" ", "_")) == text  # as its function is called
    assert "cells     16 (" in text


def test_a_name_without_its_study_finds_the_figure_and_the_table(run: Path):
    text = describe(run, "ranking")
    assert "figure mlp_grid/figures/ranking" in text
    assert "table mlp_grid/ranking" in text


def test_a_macro_may_be_written_as_latex_writes_it(run: Path):
    assert describe(run, "\\TotalTime") == describe(run, "TotalTime")


def test_a_probe_leads_to_its_options_code_and_machine(run: Path):
    text = describe(run, "shapes/shapes")
    assert 'probe     shapes (activation_shapes): {"activations": ["relu"]}' in text
    assert "ab" * 32 in text


def test_long_lists_are_shortened_and_all_prints_them(run: Path):
    short, whole = describe(run, "mlp_grid/ranking"), describe(run, "mlp_grid/ranking", everything=True)
    assert f"... and {16 - FEW} more; --all prints them" in short
    assert "more; --all" not in whole
    assert all(f"{number:012x}" in whole for number in range(16))


def test_a_selection_picks_its_cells(run: Path):
    cells = cells_behind(run, {"subject": "mlp_grid", "selection": {"activation": "relu", "seed": [0, 1]}})
    assert len(cells) == 8
    assert set(cells["activation"]) == {"relu"}


def test_every_row_that_is_printed_has_runs_behind_it_or_is_of_none(run: Path):
    behind = [behind for statement in load_trace(run).values() for _, behind in statement["rows"]]
    of_study = [each for each in behind if each["subject"] == "mlp_grid"]
    assert of_study
    assert all(len(cells_behind(run, each)) for each in of_study)


def test_an_unknown_name_gets_the_nearest(run: Path):
    with pytest.raises(
        UserError, match=r"nothing that is printed is 'tanh beat relu': did you mean one of: tanh beats"
    ):
        describe(run, "tanh beat relu")
    with pytest.raises(UserError, match=r"nothing that is printed is 'Table 77': .*`phase2 trace`"):
        describe(run, "Table 77")
    for nothing in ("%", " "):
        with pytest.raises(UserError, match="nothing that is printed is"):
            describe(run, nothing)


def test_a_run_without_a_report_names_those_that_have_one(run: Path):
    with pytest.raises(UserError, match=r"`make report`.*--run names another. Runs that have one: desk"):
        load_trace(run.parent / "smoke")
