"""The bench's own arithmetic and its commands; what it measures is in benchmarks/."""

import json
import sys
from pathlib import Path

import pytest

from phase2 import bench as module
from phase2.bench import Figure, bench, copy_of_checkout, interleaved, timed
from phase2.errors import UserError


def test_a_figure_is_judged_by_its_median_against_a_ceiling_or_a_floor():
    assert Figure("time", [1.0, 9.0, 2.0], "s", 2).met
    assert not Figure("time", [1.0, 9.0, 2.1], "s", 2).met
    assert Figure("speed", [1.0, 9.0, 3.0], "x", 3, at_least=True).met
    assert not Figure("speed", [1.0, 9.0, 2.9], "x", 3, at_least=True).met


def test_measures_are_interleaved():
    order: list[str] = []
    values = interleaved(
        2, lambda: float(len(order.append("a") or order)), lambda: float(len(order.append("b") or order))
    )
    assert order == ["a", "b", "a", "b"]
    assert values == [[1.0, 3.0], [2.0, 4.0]]


def test_a_command_is_timed_with_the_memory_of_all_its_processes(tmp_path: Path):
    run = timed(
        [sys.executable, "-c", "import time; x = bytearray(300_000_000); print(len(x)); time.sleep(1)"], tmp_path
    )
    assert "300000000" in run.output
    assert 3e8 < run.memory < 5e8
    assert run.seconds > 0


def test_a_command_that_fails_is_quoted(tmp_path: Path):
    with pytest.raises(UserError, match=r"failed in .*(?s:.)*no such luck"):
        timed([sys.executable, "-c", "raise SystemExit('no such luck')"], tmp_path)


def test_a_copy_of_the_checkout_has_the_tracked_files_and_no_results(tmp_path: Path):
    copy = copy_of_checkout(tmp_path)
    assert (copy / "Snakefile").read_bytes() == (module.ROOT / "Snakefile").read_bytes()
    assert not (copy / "results").exists()
    assert not (copy / ".git").exists()


def test_bench_writes_a_json_with_the_environment_and_fails_if_a_bound_is_missed(tmp_path: Path, monkeypatch, capsys):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "toy.py").write_text(
        "from phase2.bench import Figure\ndef measure():\n    return [Figure('toy', [3.0], 's', 2)]\n"
    )
    monkeypatch.setattr(module, "ROOT", tmp_path)
    assert bench([], tmp_path / "out") == 1
    written = json.loads((tmp_path / "out" / "toy.json").read_text())
    assert written["figures"][0]["median"] == 3.0
    assert not written["figures"][0]["met"]
    assert written["environment"]["packages"]["torch"]
    assert "MISSED" in capsys.readouterr().out


def test_an_unknown_measurement_gets_the_nearest(tmp_path: Path):
    with pytest.raises(UserError, match=r"unknown measurement 'pack': did you mean 'packs'\?"):
        bench(["pack"], tmp_path)
