"""The door of a run: four files that say what lies there, how it came out, and ask nothing of a network."""

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from studies import content

from phase2.report.index import Run, write_index
from phase2.run.config import validate
from phase2.stats.analysis import analyse
from phase2.stats.overview import OVERVIEW
from phase2.study.score import Score, card_of_score

ENVIRONMENT = {"commit": "abc123", "dirty": False, "cores": 2, "cpu": "a processor", "packages": {"torch": "2.14.1"}}
SHAPES = {
    "question": "What is <sharp> & what is not?",
    "probe": "activation_shapes",
    "activations": ["relu"],
    "chapter": "optimization",
    "figures": ["activation_shapes"],
}


def finished(folder: Path, **changes: Any) -> Run:
    """A run of one study with one figure, whose second init is better, and of one probe."""
    config = validate({**content("studies.grid.figures", ["score_heatmap"]), "probes": {"shapes": SHAPES}, **changes})
    rows = [
        {
            "init": init,
            "schedule": schedule,
            "seed": seed,
            "status": "ok",
            "diverged_step": None,
            "steps": 7,
            "seconds": 30.0,
        }
        | {
            name: value + 0.01 * seed + 0.02 * (init == "xavier")
            for name in ("val_accuracy", "test_accuracy", "curve_area")
        }
        for init in ("kaiming", "xavier")
        for schedule, value in (("constant", 0.8), ("cosine", 0.7))
        for seed in range(5)
    ]
    cells = pd.DataFrame(rows)
    tables = {"cells": cells} | analyse(cells, ["init", "schedule"], Score.of(card_of_score("images"), classes=10))
    (folder / "tables" / "grid").mkdir(parents=True)
    for name, table in tables.items():
        table.to_csv(folder / "tables" / "grid" / f"{name}.csv", index=False)
    run = Run(folder, config, ENVIRONMENT, "make report", ["nn_core_math"])
    write_index(run)
    return run


class Page(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def addresses(self) -> set[str]:
        return {a for _, found in self.elements for name in ("href", "src") if (a := found.get(name))}


def test_the_summary_has_a_row_a_study(tmp_path: Path):
    finished(tmp_path)
    (row,) = pd.read_csv(tmp_path / "summary.csv").to_dict("records")
    assert list(row) == list(OVERVIEW)
    assert (row["study"], row["answer"], row["test"], row["n"]) == (
        "grid",
        "init=xavier, schedule=constant",
        pytest.approx(84),
        5,
    )


def test_the_dictionary_tells_each_column_once(tmp_path: Path):
    finished(tmp_path)
    told = pd.read_csv(tmp_path / "columns.csv")
    assert not told.duplicated(["of", "table", "column"]).any()
    assert not told.isna().any(axis=None)
    assert {"summary", "cells", "ranking"} <= set(told["table"])
    assert set(pd.read_csv(tmp_path / "tables/grid/ranking.csv")) == set(told[told["table"] == "ranking"]["column"])


def test_the_readme_says_what_lies_here_and_what_made_it(tmp_path: Path):
    finished(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("# The run `test`\n")
    assert "Made by make report of commit abc123, on 2 cores of a processor, torch 2.14.1." in text
    for place in ("report.pdf", "optimization.pdf", "notebooks/nn_core_math.html", "summary.csv", "columns.csv"):
        assert f"| `{place}` |" in text
    assert "Without" not in text


def test_the_page_links_what_there_is_and_loads_nothing_else(tmp_path: Path):
    finished(tmp_path)
    text = (tmp_path / "index.html").read_text()
    found = Page(text).addresses()
    figures = {
        f"figures/{name}.{kind}"
        for name in ("grid/score_heatmap", "shapes/activation_shapes")
        for kind in ("pdf", "png")
    }
    files = {
        "README.md",
        "summary.csv",
        "columns.csv",
        "claims.json",
        "mastery.csv",
        "config.yaml",
        "environment.json",
        "metrics.json",
    }
    read = {"report.pdf", "optimization.pdf", "companion.pdf", "notebooks/nn_core_math.html"}
    assert found == figures | files | read | {"tables/grid/", "tables/shapes/", "#grid"}
    assert not re.search(r"<script|https?:|url\(|@import", text)


def test_the_page_shows_each_figure_with_its_caption_under_its_question(tmp_path: Path):
    finished(tmp_path)
    text = unescape((tmp_path / "index.html").read_text())
    assert text.index("Does it work?") < text.index("figures/grid/score_heatmap.png")
    assert text.index("What is <sharp> & what is not?") < text.index("figures/shapes/activation_shapes.png")
    assert text.count("<figcaption>") == 2
    assert "accuracy in percent" in text
    assert "5 seeds, 7 steps; 0 of 20 runs failed.</figcaption>" in text
    assert re.search(r"84\.0%.*10\.0% \(guessing\).*74\.0\s\[7\d\.\d,\s7\d\.\d\]", text)
    assert "{score}" not in text


def test_questions_cannot_break_the_page(tmp_path: Path):
    finished(tmp_path)
    assert "What is &lt;sharp&gt; &amp; what is not?" in (tmp_path / "index.html").read_text()


def test_a_run_that_lacks_a_study_says_so_first(tmp_path: Path):
    finished(tmp_path, missing=["other"])
    assert "**Without other, which failed.**" in (tmp_path / "README.md").read_text().split("|")[0]
    assert "Without other, which failed." in (tmp_path / "index.html").read_text().split("<table")[0]
