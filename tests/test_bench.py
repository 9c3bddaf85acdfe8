"""The bench's own arithmetic and its commands; what it measures is in benchmarks/."""

import json
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch

from phase2 import bench as module
from phase2 import cli
from phase2.bench import Measured, bench, copy_of_checkout, interleaved, timed, torch_threads
from phase2.errors import UserError
from phase2.source import ROOT


def test_a_figure_is_judged_by_its_median_against_a_ceiling_or_a_floor():
    assert Measured("time", [1.0, 9.0, 2.0], "s", 2).met
    assert not Measured("time", [1.0, 9.0, 2.1], "s", 2).met
    assert Measured("speed", [1.0, 9.0, 3.0], "x", 3, at_least=True).met
    assert not Measured("speed", [1.0, 9.0, 2.9], "x", 3, at_least=True).met


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


TOY = """
from phase2.bench import Measured
FULL, TINY = 3.0, 4.0
def measure(sizes):
    return [Measured("toy", [sizes], "s", 2)]
"""
BROKEN = "FULL = TINY = None\ndef measure(sizes):\n    raise RuntimeError('a bench that broke')\n"
INTERRUPTED = BROKEN.replace("RuntimeError('a bench that broke')", "KeyboardInterrupt")


@pytest.fixture
def benchmarks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of measurements, with a toy in it that misses its bound."""
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "toy.py").write_text(TOY)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return folder


def test_bench_writes_a_json_with_the_environment_and_fails_if_a_bound_is_missed(benchmarks, tmp_path: Path, capsys):
    assert bench([], tmp_path / "out") == 1
    written = json.loads((tmp_path / "out" / "toy.json").read_text())
    assert written["figures"][0]["median"] == 3.0
    assert not written["figures"][0]["met"]
    assert written["environment"]["packages"]["torch"]
    assert "MISSED" in capsys.readouterr().out


def test_tiny_measurements_are_neither_written_nor_judged(benchmarks, tmp_path: Path, capsys):
    assert bench([], tmp_path / "out", tiny=True) == 0
    assert not (tmp_path / "out").exists()
    assert capsys.readouterr().out == "toy runs: 1 figures\n"


@pytest.mark.parametrize("tiny", [False, True])
def test_a_measurement_that_fails_is_told_at_the_end_and_the_others_run(benchmarks, tmp_path: Path, capsys, tiny):
    (benchmarks / "a_first.py").write_text(BROKEN)
    (benchmarks / "no_python.py").write_text("def measure(")
    (benchmarks / "toy.py").write_text(TOY.replace('"s", 2', '"s", 9'))
    assert bench([], tmp_path / "out", tiny) == 1
    assert [path.name for path in (tmp_path / "out").glob("*")] == ([] if tiny else ["toy.json"])
    out, errors = capsys.readouterr()
    assert "toy" in out
    assert "a_first FAILED: Traceback" in errors
    assert "RuntimeError: a bench that broke" in errors
    assert "no_python FAILED" in errors


def test_a_command_that_failed_in_a_measurement_is_told_without_a_traceback(benchmarks, tmp_path: Path, capsys):
    (benchmarks / "toy.py").write_text(BROKEN.replace("RuntimeError", "__import__('phase2.errors').errors.UserError"))
    assert bench([], tmp_path / "out") == 1
    assert capsys.readouterr().err == "toy FAILED: a bench that broke\n"


def test_an_interruption_leaves_what_was_measured_before(benchmarks, tmp_path: Path, capsys):
    (benchmarks / "z_last.py").write_text(INTERRUPTED)
    with pytest.raises(KeyboardInterrupt):
        bench([], tmp_path / "out")
    assert json.loads((tmp_path / "out" / "toy.json").read_text())["figures"][0]["median"] == 3.0
    assert "MISSED" in capsys.readouterr().out


def test_a_command_does_not_outlive_an_interruption(tmp_path: Path, monkeypatch):
    seen: list[psutil.Process] = []

    def interrupt(process: psutil.Process) -> int:
        seen.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_memory_of", interrupt)
    with pytest.raises(KeyboardInterrupt):
        timed([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path)
    assert not seen[0].is_running()


def test_torch_has_its_threads_again_after_a_measurement_that_failed():
    before = torch.get_num_threads()
    during: list[int] = []

    def fail() -> None:
        with torch_threads(before + 1):
            during.append(torch.get_num_threads())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert during == [before + 1]
    assert torch.get_num_threads() == before


def test_an_unknown_measurement_gets_the_nearest(tmp_path: Path):
    with pytest.raises(UserError, match=r"unknown measurement 'pack': did you mean 'packs'\?"):
        bench(["pack"], tmp_path)


def test_make_bench_sets_up_all_that_the_measurements_need():
    planned = subprocess.run(["make", "-n", "bench"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for command in ("tools/setup.sh latex", "tools/setup.sh data-package", "phase2 bench"):
        assert command in planned


def test_make_help_and_the_command_agree_on_what_bench_costs_and_writes():
    (line,) = re.findall(r"^make bench .*$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    minutes = re.search(r"(\d+) min", line)
    assert minutes
    assert f"about {minutes[1]} minutes for all" in str(cli.bench.__doc__)
    assert "results/bench/*.json and a table" in line
    assert "results/bench/*.json and a table" in str(cli.bench.__doc__)
