"""The tables of docs/benchmarks.md: written from files, in step with them, and nothing around them touched."""

import json
from pathlib import Path

import pytest

from phase2.bench import Measured, bench, measurements
from phase2.bench_page import BEGIN, END, publish, with_figures
from phase2.errors import UserError
from phase2.source import ROOT

TOY = """
from phase2.bench import Measured
FULL = TINY = None
def measure(sizes):
    return {figures}
"""
AROUND = f"# A project\n\n{BEGIN}\n\nold\n\n{END}\n\nThe rest.\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a page of figures and two toy measurements, both run."""
    (tmp_path / "benchmarks.md").write_text(AROUND)
    (tmp_path / "benchmarks").mkdir()
    slow = [Measured("a time", [3.0, 1.0, 2.0], "s", 2), Measured("a whole run", [12.345], "min", 17)]
    ratios = {"first": [2.0], "second": [3.5], "third": [3.0]}
    fast = [Measured(name, values, "x", 4, group="three layers") for name, values in ratios.items()]
    fast.append(Measured("a speed-up", [1.3, 1.1], "x", 1.5, at_least=True))
    for name, figures in {"slow": slow, "fast": fast}.items():
        (tmp_path / "benchmarks" / f"{name}.py").write_text(TOY.format(figures=figures))
    monkeypatch.setattr("phase2.bench.ROOT", tmp_path)
    bench([], tmp_path / "measured")
    return tmp_path


def published(folder: Path) -> str:
    publish(folder / "measured", folder / "kept", folder / "benchmarks.md")
    return (folder / "benchmarks.md").read_text()


def test_the_page_has_the_tables_that_its_measurements_make():
    text = (ROOT / "docs" / "benchmarks.md").read_text()
    assert text == with_figures(text, ROOT / "docs" / "benchmarks"), "run `phase2 bench --publish`"


def test_what_the_page_shows_is_measured_by_a_file_of_benchmarks():
    assert {path.stem for path in (ROOT / "docs" / "benchmarks").glob("*.json")} <= set(measurements())


def test_a_row_has_median_spread_and_bound_and_says_what_is_missed(folder: Path):
    text = published(folder)
    assert "| `slow` | a time | 2 s [1, 3] | at most 2 s |" in text
    assert "| `slow` | a whole run | 12.3 min (one run) | at most 17 min |" in text
    assert "| `fast` | a speed-up | 1.2x [1.1, 1.3] | at least 1.5x: **missed** |" in text


def test_a_group_is_told_by_the_figure_nearest_to_its_bound(folder: Path):
    text = published(folder)
    assert "| `fast` | three layers: the worst of 3 (second) | 3.5x (one run) | at most 4x |" in text
    assert "first" not in text


def test_what_is_around_the_table_stays_and_a_second_writing_changes_nothing(folder: Path):
    text = published(folder)
    assert text.startswith(f"# A project\n\n{BEGIN}\n\nOn ")
    assert text.endswith(f"|\n\n{END}\n\nThe rest.\n")
    assert "old" not in text
    assert published(folder) == text


def test_a_measurement_that_was_not_repeated_stays(folder: Path):
    text = published(folder)
    (folder / "measured" / "slow.json").unlink()
    assert published(folder) == text


def test_each_machine_has_a_table_of_its_own(folder: Path):
    published(folder)
    content = json.loads((folder / "measured" / "slow.json").read_text())
    content["environment"] |= {"cpu": "another processor", "cores": 64}
    (folder / "measured" / "slow.json").write_text(json.dumps(content))
    tables = published(folder).split("\n\nOn ")[1:]
    assert ["`fast`" in table for table in tables] == [True, False]
    assert tables[1].startswith("64 cores of another processor (")
    assert content["environment"]["packages"]["torch"] in tables[1]


def test_without_a_measurement_nothing_is_written(folder: Path):
    with pytest.raises(UserError, match="run `phase2 bench` first"):
        publish(folder / "nowhere", folder / "kept", folder / "benchmarks.md")
    assert (folder / "benchmarks.md").read_text() == AROUND


@pytest.mark.parametrize("text", ["", f"{END}\n{BEGIN}\n", f"{BEGIN}\n{BEGIN}\n{END}\n", f"{BEGIN}\n"])
def test_a_page_without_its_marks_is_refused(tmp_path: Path, text: str):
    with pytest.raises(UserError, match=r"docs/benchmarks\.md needs the lines"):
        with_figures(text, tmp_path)
