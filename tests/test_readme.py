"""The README's lines that read results run, on results with a run that diverged before its first epoch ended."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from studies import COMPUTE, study_of
from study_fixtures import folders, prepared_folder  # noqa: F401

from phase2.source import ROOT
from phase2.study.cell import cells_of
from phase2.study.pack import Folders, run_pack
from phase2.study.tables import gather

README = (ROOT / "README.md").read_text()


@pytest.fixture
def read(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], pd.DataFrame]:  # noqa: F811
    """What the README's block of Python binds, where a study named as there has run, and the study's curves."""
    study = study_of(axes={"init": ["kaiming"], "lr": [0.05, 1e30], "seed": [0]})
    cells = cells_of("mlp_grid", study)
    root = folders.results
    beside = (root / name for name in ("checkpoints", "store", "work", "logs"))
    here = Folders(folders.prepared, root / "results/desk", *beside)
    assert run_pack(cells, study, here, COMPUTE).diverged == 1
    table, curves = gather(cells, here.results)
    tables = here.results / "tables/mlp_grid"
    tables.mkdir(parents=True)
    table.to_csv(tables / "cells.csv", index=False)
    curves.to_csv(tables / "curves.csv", index=False)
    monkeypatch.chdir(root)
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    bound: dict[str, Any] = {}
    exec(block, bound)
    return bound, curves


def test_duckdb_and_pandas_read_the_results_as_the_readme_does(read: tuple[dict[str, Any], pd.DataFrame]):
    bound, curves = read
    wanted = curves[curves["split"] == "val"].groupby(["init", "epoch"], as_index=False)["accuracy"].mean()
    pd.testing.assert_frame_equal(bound["by_epoch"], wanted, check_dtype=False)
    assert list(bound["by_init"]["size"]) == [1, 1]
    assert list(bound["by_init"].index) == [("kaiming", "diverged"), ("kaiming", "ok")]


def test_the_finding_comes_first_then_the_commands_then_what_comes_out():
    heads = re.findall(r"^## (.+)$", README, re.MULTILINE)
    assert heads[:3] == ["What it finds", "Two commands", "What comes out"]
    picture = re.search(r"!\[.+?\]\((.+?)\)", README)
    assert picture
    assert README.index(picture[0]) < README.index("## Two commands")
    assert (ROOT / picture[1]).stat().st_size < 150_000


def test_the_words_of_the_house_are_told():
    assert set(re.findall(r"^\| (\w+) \| ", README.split("The words in it:")[1], re.MULTILINE)) >= {
        *("study", "cell", "lane", "probe", "claim", "desk"),
    }


def test_every_file_that_the_readme_links_is_there():
    links = set(re.findall(r"\]\(([\w./-]+)\)", README))
    assert "docs/benchmarks.md" in links
    assert not [link for link in links if not Path(ROOT, link).exists()]
