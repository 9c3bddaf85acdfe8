"""How far a run is, from the notes of its jobs."""

import json
from pathlib import Path

import pytest

from phase2.study.progress import Monitor, note_path, write_note

JOBS = {"a/metrics.json": ["1", "2", "3"], "b/metrics.json": ["4", "5"]}


@pytest.fixture
def monitor(tmp_path: Path) -> Monitor:
    monitor = Monitor(tmp_path / "progress")
    monitor.start(JOBS)
    return monitor


def note(monitor: Monitor, output: str, **content: object) -> None:
    write_note(note_path(monitor.folder, output), **content)


def test_a_summary_counts_cells_by_what_became_of_them(monitor: Monitor):
    note(monitor, "a/metrics.json", fraction=1.0, trained=2, restored=1, diverged=1, train_seconds=3.0)
    assert monitor.summary(None, failed=False).startswith(
        "cells: 2 trained, 1 restored, 1 diverged, 2 not finished; wall time 0 min "
    )
    note(monitor, "b/metrics.json", fraction=1.0, trained=2, restored=0, diverged=0, train_seconds=3.0)
    assert "cells: 4 trained, 1 restored, 1 diverged, 0 not finished" in monitor.summary(None, failed=False)


def test_cells_of_unfinished_packs_count_by_their_fraction(monitor: Monitor):
    assert monitor.cells_done() == 0
    note(monitor, "a/metrics.json", fraction=0.5)
    note(monitor, "b/metrics.json", fraction=1.0, trained=2, restored=0, diverged=0, train_seconds=1.0)
    assert monitor.cells_done() == 3.5


def test_notes_of_an_earlier_run_are_forgotten_and_of_other_jobs_ignored(monitor: Monitor):
    note(monitor, "a/metrics.json", fraction=1.0, trained=3)
    note(monitor, "other/metrics.json", fraction=1.0, trained=30)
    again = Monitor(monitor.folder)
    again.start(JOBS)
    assert again.cells_done() == 0


def test_a_note_that_is_half_written_is_as_good_as_none(monitor: Monitor):
    note_path(monitor.folder, "a/metrics.json").parent.mkdir(exist_ok=True)
    note_path(monitor.folder, "a/metrics.json").write_text('{"fraction": 0.')
    assert monitor.cells_done() == 0


def test_a_summary_names_the_report_that_exists_and_what_lies_beside_it(monitor: Monitor, tmp_path: Path):
    report = tmp_path / "report.pdf"
    assert "report" not in monitor.summary(str(report), failed=False)
    report.touch()
    (tmp_path / "tables").mkdir()
    assert monitor.summary(str(report), failed=False).splitlines()[1] == f"report: {report}"
    assert "tables/" in monitor.summary(str(report), failed=False).splitlines()[2]


def test_a_failed_run_says_that_the_same_command_goes_on(monitor: Monitor):
    summary = monitor.summary(None, failed=True)
    assert "what was finished is kept, and the same command goes on from there" in summary


def test_a_run_without_training_ends_quietly(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    monitor = Monitor(tmp_path)
    monitor.start({})
    monitor.stop()
    assert "cells: 0 trained, 0 restored, 0 diverged, 0 not finished" in capsys.readouterr().err


def test_on_a_terminal_a_bar_shows_cells_and_ends_with_the_run(
    monitor: Monitor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    note(monitor, "a/metrics.json", fraction=0.5)
    monitor.start(JOBS)
    thread = monitor._thread
    monitor.stop()
    assert thread is not None
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert "cells: 0 trained" in capsys.readouterr().err


def test_a_note_is_json_beside_the_others(tmp_path: Path):
    path = note_path(tmp_path, "results/x/metrics.json")
    write_note(path, fraction=0.25)
    assert path.parent == tmp_path
    assert json.loads(path.read_text()) == {"fraction": 0.25}


def test_a_summary_names_what_the_report_lacks(monitor: Monitor, tmp_path: Path):
    report = tmp_path / "report.pdf"
    report.touch()
    summary = monitor.summary(str(report), failed=False, missing=["grid", "health"])
    assert summary.splitlines()[1] == f"report: {report}, which lacks grid, health"
