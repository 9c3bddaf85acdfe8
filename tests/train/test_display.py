"""How a training goes, to look at: a line an epoch, or a bar on a terminal."""

import re
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from packs import LANES, recipe, summary, train

from phase2.task.task import Task
from phase2.train.display import Display

SHORT = recipe(epochs=2)
LINE = r"grid: epoch {epoch}/2  loss [\d.]+  val accuracy {accuracy:.4f}  lr [\de.-]+  [\d,]+ samples/s  .* left"


def test_without_a_terminal_there_is_a_line_an_epoch(parts: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with Display("grid") as display:
        (result,) = train(SHORT, LANES[:1], parts, tmp_path, watch=display)
    out, lines = capsys.readouterr()
    accuracies = [row["accuracy"] for row in result.history if row["split"] == "val"]
    for epoch, (line, accuracy) in enumerate(zip(lines.splitlines(), accuracies, strict=True), start=1):
        assert re.fullmatch(LINE.format(epoch=epoch, accuracy=accuracy), line)
    assert lines.endswith("  0 s left\n")
    assert out == ""


def test_of_several_lanes_the_mean_of_those_that_live_is_shown(
    parts: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    lanes = [*LANES, replace(LANES[0], lr=1e30, weight_decay=1e30)]
    with Display("grid") as display:
        results = train(SHORT, lanes, parts, tmp_path, watch=display)
    assert [result.status for result in results] == ["ok", "ok", "ok", "diverged"]
    mean = sum(result.history[-1]["accuracy"] for result in results[:3]) / 3
    assert re.fullmatch(LINE.format(epoch=2, accuracy=mean), capsys.readouterr().err.splitlines()[-1])


def test_where_every_lane_has_diverged_that_is_said(parts: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with Display("grid") as display:
        train(SHORT, [replace(LANES[0], lr=1e30, weight_decay=1e30)], parts, tmp_path, watch=display)
    assert capsys.readouterr().err == "grid: every lane has diverged\n" * 2


def test_a_training_that_goes_on_says_from_where(parts: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    stop = mock.Mock(side_effect=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        train(SHORT, LANES, parts, tmp_path, checkpoint_seconds=0, progress=stop)
    with Display("grid") as display:
        train(SHORT, LANES, parts, tmp_path, watch=display)
    assert capsys.readouterr().err.startswith("grid: goes on after step 5 of 10\n")


def test_on_a_terminal_a_bar_moves_with_the_steps_and_changes_no_number(
    parts: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    plain = train(SHORT, LANES, parts, tmp_path / "plain")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("phase2.train.display.SECONDS", 0)
    with Display("grid") as display:
        assert display.bar is not None
        update = mock.Mock(wraps=display.bar.update)
        monkeypatch.setattr(display.bar, "update", update)
        assert summary(train(SHORT, LANES, parts, tmp_path / "shown", watch=display)) == summary(plain)
    assert [call.kwargs["completed"] for call in update.call_args_list] == list(range(1, 11))
    assert re.match(r"epoch 2/2  loss [\d.]+  val accuracy", update.call_args.kwargs["told"])
    assert "every lane" not in capsys.readouterr().err
